import { escapePointer, isObject } from './leaves.js'

/** A value that both sides changed, each in its own way. `undefined`: it is not there. */
export interface Clash {
  /** JSON Pointer (RFC 6901). */
  readonly path: string
  readonly base: unknown
  readonly mine: unknown
  readonly theirs: unknown
}

/** What comes of two sides' changes of one document. Where they clash the merge has `mine` until somebody chooses. */
export interface Merge {
  readonly merged: unknown
  readonly clashes: readonly Clash[]
}

/**
 * Puts together what two sides made of `base`, member by member. A member that one side alone changed has that side's value; one that both
 * changed alike has it; objects are merged within; anything else, arrays included, is a clash.
 */
export function mergeDocuments(sides: Omit<Clash, 'path'>, path = ''): Merge {
  const { base, mine, theirs } = sides
  if (same(mine, theirs) || same(theirs, base)) return { merged: mine, clashes: [] }
  if (same(mine, base)) return { merged: theirs, clashes: [] }
  if (!isObject(mine) || !isObject(theirs)) return { merged: mine, clashes: [{ path, ...sides }] }
  const before = isObject(base) ? base : {}
  const merged: Record<string, unknown> = {}
  const clashes: Clash[] = []
  for (const name of membersOf(mine, theirs, before)) {
    const part = { base: own(before, name), mine: own(mine, name), theirs: own(theirs, name) }
    const result = mergeDocuments(part, `${path}/${escapePointer(name)}`)
    if (result.merged !== undefined) define(merged, name, result.merged)
    clashes.push(...result.clashes)
  }
  return { merged, clashes }
}

/** The document with another value at a path; undefined removes it. The document itself stays as it is. */
export function withValue(document: unknown, path: string, value: unknown): unknown {
  const [, name, ...others] = path.split('/')
  if (name === undefined) return value
  const key = name.replaceAll('~1', '/').replaceAll('~0', '~')
  const copy: Record<string, unknown> = isObject(document) ? { ...document } : {}
  const rest = others.length === 0 ? '' : `/${others.join('/')}`
  const next = rest === '' ? value : withValue(own(copy, key), rest, value)
  if (next === undefined) delete copy[key]
  else define(copy, key, next)
  return copy
}

/** Whether two JSON values are equal; the order of members does not matter. */
export function same(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => same(item, right[index]))
  }
  if (!isObject(left) || !isObject(right)) return false
  const names = Object.keys(left)
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && same(left[name], right[name]))
  )
}

/** In the order in which the sides have them: the person's own first. */
function membersOf(...sides: readonly Readonly<Record<string, unknown>>[]): Iterable<string> {
  return new Set(sides.flatMap((side) => Object.keys(side)))
}

function own(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

/** As an assignment, also for `__proto__`. */
function define(object: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true })
}
