import { signal } from '@preact/signals'

const MEMBER = 'signInError'
const CODE = /^[A-Z][A-Z_]{0,60}$/

/** Code of what went wrong while somebody signed in at the provider, as the server has put it into the address; undefined: nothing. */
export const signInFailure = signal<string | undefined>(undefined)

/** Reads the failure from the page's address, and takes it out there: it is told once, and not again when the page is loaded anew. */
export function startSignInFailure(): void {
  const here = new URL(location.href)
  const code = failureIn(here.searchParams)
  here.searchParams.delete(MEMBER)
  if (here.href !== location.href) history.replaceState(null, '', here)
  signInFailure.value = code
}

/** The code that a query bears. Anybody can make a link, so what is no code is nothing. */
export function failureIn(query: URLSearchParams): string | undefined {
  const code = query.get(MEMBER) ?? ''
  return CODE.test(code) ? code : undefined
}
