import type { ExplainLayer } from '@tributary/contract'
import { isObject } from './leaves.js'

/** Which layer a value at a path comes from: the nearest that has anything there. Layers are nearest first. */
export function originOf(layers: readonly ExplainLayer[], path: string): ExplainLayer | undefined {
  const names = path.split('/').slice(1).map(unescapePointer)
  return layers.find(({ value }) => holds(value, names))
}

function holds(value: unknown, [name, ...others]: readonly string[]): boolean {
  if (name === undefined) return value !== undefined
  // A value that is no object replaces everything that is below it.
  if (!isObject(value)) return value !== undefined && value !== null
  return Object.hasOwn(value, name) && holds(value[name], others)
}

function unescapePointer(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~')
}
