/** A value at the end of a path of a JSON document: anything but an object with members. */
export interface Leaf {
  /** JSON Pointer (RFC 6901). */
  readonly path: string
  readonly value: unknown
}

/** All leaves of a document in order of their paths. Arrays are leaves: they replace whole (RFC 7396). */
export function leavesOf(document: unknown, path = ''): readonly Leaf[] {
  if (!isObject(document) || (Object.keys(document).length === 0 && path !== '')) {
    return [{ path, value: document }]
  }
  return Object.keys(document)
    .sort()
    .flatMap((name) => leavesOf(document[name], `${path}/${escapePointer(name)}`))
}

/** True for a JSON object: neither null nor an array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A member's name as a segment of a JSON Pointer. */
export function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
