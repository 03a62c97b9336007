import { failure } from '../errors.js'

/** JSON Pointer (RFC 6901) of a path; the empty path is the whole document. */
export function formatPointer(path: readonly string[]): string {
  return path.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** @throws AppError `INVALID_REQUEST` for text that is not a JSON Pointer. */
export function parsePointer(pointer: string): readonly string[] {
  if (pointer === '') return []
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer)) {
    throw failure(
      'INVALID_REQUEST',
      `${JSON.stringify(pointer)} is not a JSON Pointer: it starts with "/", and "~" is written "~0", "/" in a name "~1".`,
      { details: { field: 'path', type: 'string', rule: 'RFC 6901' } },
    )
  }
  return pointer
    .slice(1)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** The member of an object or array, its own only; undefined when there is none. */
export function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  if (Array.isArray(value)) return /^(0|[1-9][0-9]*)$/.test(name) ? value[Number(name)] : undefined
  return (value as Readonly<Record<string, unknown>>)[name]
}

/** The value at a path; undefined when the document does not have it. */
export function valueAt(document: unknown, path: readonly string[]): unknown {
  return path.reduce(member, document)
}
