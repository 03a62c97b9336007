import { sdkError } from '../errors.js'

/** Member names and array indices from the document's root. Empty: the whole document. */
export type PathSegments = readonly string[]

/** Parsed paths that are remembered; programs use a handful, and a hostile caller must not fill the memory. */
const MAX_REMEMBERED = 1_000
const ARRAY_INDEX = /^(0|[1-9][0-9]{0,9})$/

const remembered = new Map<string, PathSegments>()

/**
 * Parses a config path:
 *
 * | written | means |
 * | --- | --- |
 * | empty, or `*` | the whole document |
 * | begins with `/` | JSON Pointer (RFC 6901): `/a~1b/0`, for names with dots or slashes |
 * | anything else | names joined by dots: `pageSize`, `database.pool.size`, `hosts.0` |
 *
 * @throws AppError `SDK_PATH_INVALID` for an empty name between dots or a wrong `~` escape.
 */
export function parseConfigPath(path: string): PathSegments {
  const known = remembered.get(path)
  if (known !== undefined) return known
  const segments = Object.freeze(parse(path))
  if (remembered.size < MAX_REMEMBERED) remembered.set(path, segments)
  return segments
}

function parse(path: string): string[] {
  if (path === '' || path === '*') return []
  return path.startsWith('/') ? parsePointer(path) : parseDotted(path)
}

function parsePointer(path: string): string[] {
  return path
    .slice(1)
    .split('/')
    .map((token) => {
      if (/~(?![01])/.test(token)) throw invalid(path, 'write ~0 for ~ and ~1 for /')
      return token.replaceAll('~1', '/').replaceAll('~0', '~')
    })
}

function parseDotted(path: string): string[] {
  const names = path.split('.')
  if (names.includes('')) throw invalid(path, 'a name between dots is empty; for names with dots use a JSON Pointer')
  return names
}

function invalid(path: string, advice: string): Error {
  return sdkError('SDK_PATH_INVALID', `cannot read the config path ${JSON.stringify(path.slice(0, 200))}: ${advice}`)
}

/** The value at a path; undefined when it is not there. Only own members count, so `constructor` finds nothing. */
export function readPath(document: unknown, segments: PathSegments): unknown {
  let value = document
  for (const segment of segments) {
    value = memberOf(value, segment)
    if (value === undefined) return undefined
  }
  return value
}

function memberOf(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return ARRAY_INDEX.test(name) ? value[Number(name)] : undefined
  if (!isJsonObject(value)) return undefined
  return Object.hasOwn(value, name) ? value[name] : undefined
}

/** A copy of the document with `replacement` at the path, or without it when that is undefined. Missing parents are made. */
export function withPath(document: unknown, segments: PathSegments, replacement: unknown): unknown {
  const [name, ...rest] = segments
  if (name === undefined) return replacement
  if (Array.isArray(document) && ARRAY_INDEX.test(name)) {
    return document.map((item: unknown, index) => (String(index) === name ? withPath(item, rest, replacement) : item))
  }
  const members = new Map<string, unknown>(isJsonObject(document) ? Object.entries(document) : [])
  const member = withPath(members.get(name), rest, replacement)
  if (member === undefined) members.delete(name)
  else members.set(name, member)
  return members.size === 0 && document === undefined ? undefined : Object.fromEntries(members)
}

function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
