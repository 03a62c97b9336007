import { signal } from '@preact/signals'

/** Where the page is: path segments and the query of the address's fragment, as in `#/environments/feature-x/topology?focus=orders`. */
export interface Place {
  readonly segments: readonly string[]
  readonly query: URLSearchParams
}

/** The current place. */
export const place = signal<Place>(placeOf(''))

/** Reads a fragment. A segment that cannot be decoded is taken as it is written. */
export function placeOf(hash: string): Place {
  const [path = '', search = ''] = hash.replace(/^#?\/?/, '').split(/\?(.*)/s)
  const segments = path
    .split('/')
    .filter((segment) => segment !== '')
    .map(decoded)
  return { segments, query: new URLSearchParams(search) }
}

/** The address of a place: segments are escaped, members of the query that are undefined or empty are left out. */
export function linkTo(segments: readonly string[], query: Readonly<Record<string, string | undefined>> = {}): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') search.set(name, value)
  const text = search.toString()
  return `#/${segments.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`
}

/** Goes to an address of {@link linkTo}. */
export function go(address: string): void {
  location.hash = address
}

/** Changes members of the current query without a new entry in the browser's history. */
export function setQuery(change: Readonly<Record<string, string | undefined>>): void {
  const { segments, query } = place.peek()
  const next = linkTo(segments, { ...Object.fromEntries(query), ...change })
  history.replaceState(null, '', next)
  place.value = placeOf(next)
}

/** Follows the address from now on. */
export function startRouter(): void {
  const read = (): void => {
    place.value = placeOf(location.hash)
  }
  addEventListener('hashchange', read)
  read()
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
