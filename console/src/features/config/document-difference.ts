import { leavesOf } from './leaves.js'
import { same } from './merge-documents.js'

/** A value that differs between two documents; undefined where it is not there. */
export interface DifferingValue {
  readonly name: string
  readonly path: string
  readonly before: unknown
  readonly after: unknown
}

/** The leaves in which two documents differ, in order of their paths. A document that is not there is null or undefined. */
export function differingValues(before: unknown, after: unknown): readonly DifferingValue[] {
  const [old, next] = [byPath(before), byPath(after)]
  return [...new Set([...old.keys(), ...next.keys()])]
    .sort()
    .filter((path) => old.has(path) !== next.has(path) || !same(old.get(path), next.get(path)))
    .map((path) => ({ name: '', path, before: old.get(path), after: next.get(path) }))
}

function byPath(document: unknown): ReadonlyMap<string, unknown> {
  if (document === null || document === undefined) return new Map()
  return new Map(leavesOf(document).map(({ path, value }) => [path, value]))
}
