import type { Path } from '../../assignments.js'

/** A document that took part in a merge. */
export interface OriginLayer {
  readonly tenant: string
  readonly service: string
  readonly data: Readonly<Record<string, unknown>>
  readonly revision: string
}

/** One value of a merged document and the document it comes from. */
export interface Origin {
  readonly path: Path
  readonly value: unknown
  readonly tenant: string
  readonly service: string
  readonly revision: string
}

/**
 * For each leaf of `document` (the merge of `layers` in their order, RFC 7396) the last layer that has it: what a later layer
 * removes or replaces higher up is not a leaf of the result. A leaf is a value that is not an object, or an empty object.
 */
export function findOrigins(
  document: Readonly<Record<string, unknown>>,
  layers: readonly OriginLayer[],
): readonly Origin[] {
  return leavesOf(document, []).flatMap(({ path, value }) => {
    const layer = layers.findLast(({ data }) => has(data, path))
    if (layer === undefined) return []
    const { tenant, service, revision } = layer
    return [{ path, value, tenant, service, revision }]
  })
}

function leavesOf(value: unknown, path: Path): readonly { path: Path; value: unknown }[] {
  if (!isObject(value) || (path.length > 0 && Object.keys(value).length === 0)) return [{ path, value }]
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, [...path, name]))
}

function has(value: unknown, [name, ...rest]: Path): boolean {
  if (name === undefined) return true
  return isObject(value) && Object.hasOwn(value, name) && has(value[name], rest)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
