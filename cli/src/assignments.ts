import { badValue } from './errors.js'

/** Names from the outside in that lead to a value in a document. */
export type Path = readonly string[]

/**
 * Reads `pageSize`, `limits.perUser` or, when a name holds a dot, a JSON Pointer (RFC 6901) such as `/limits/a.b`.
 * `CLI_BAD_VALUE` for an empty name.
 */
export function parsePath(text: string): Path {
  const names = text.startsWith('/') ? text.slice(1).split('/').map(unescapePointer) : text.split('.')
  if (names.includes(''))
    throw badValue(`${JSON.stringify(text)} is not a path; write it like limits.perUser or /limits/perUser`)
  return names
}

/** The path as a JSON Pointer (RFC 6901). */
export function toPointer(path: Path): string {
  return path.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** The path for people: with dots, or as a pointer where a name holds one. */
export function showPath(path: Path): string {
  return path.some((name) => /[./]/.test(name)) ? toPointer(path) : path.join('.')
}

/**
 * Turns `key=value` arguments into one merge patch (RFC 7396). A value that is JSON counts as JSON, everything else is a string.
 * `CLI_BAD_VALUE`: no `=`, a `null` (which would remove), two assignments that contradict, an integer that JSON cannot hold.
 */
export function parseAssignments(assignments: readonly string[]): Record<string, unknown> {
  return buildPatch(
    assignments.map((text) => {
      const at = text.indexOf('=')
      if (at < 1) throw badValue(`${JSON.stringify(text)} is not an assignment; write it like pageSize=50`)
      return { path: parsePath(text.slice(0, at)), value: parseValue(text.slice(0, at), text.slice(at + 1)) }
    }),
  )
}

/** A merge patch that removes each path. */
export function parseRemovals(paths: readonly string[]): Record<string, unknown> {
  return buildPatch(paths.map((text) => ({ path: parsePath(text), value: null })))
}

interface Assignment {
  readonly path: Path
  readonly value: unknown
}

function buildPatch(assignments: readonly Assignment[]): Record<string, unknown> {
  const patch = emptyObject()
  for (const { path, value } of assignments) assign(patch, path, value)
  return patch
}

function assign(target: Record<string, unknown>, path: Path, value: unknown): void {
  const [name, ...rest] = path
  if (name === undefined) return
  const present = Object.hasOwn(target, name)
  if (rest.length === 0) {
    if (present) throw badValue(`${showPath(path)} is given twice`)
    target[name] = value
    return
  }
  const inner = present ? target[name] : (target[name] = emptyObject())
  if (!isObject(inner)) throw badValue(`${name} cannot be a value and hold ${showPath(rest)} at the same time`)
  assign(inner, rest, value)
}

function parseValue(name: string, text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return text
  }
  if (value === null) throw badValue(`${name}=null would remove ${name}; use \`tributary config unset\``)
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw badValue(
      `${name}=${text} is too large for a JSON number to hold exactly; make it a string: ${name}='"${text}"'`,
    )
  }
  return value
}

/** No prototype, so that a name like `__proto__` is a name like any other. */
function emptyObject(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function unescapePointer(name: string): string {
  return name.replaceAll('~1', '/').replaceAll('~0', '~')
}
