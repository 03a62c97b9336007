import type { DocumentData } from '@tributary/contract'

/**
 * Applies an RFC 7396 merge patch and returns a new value; neither argument is changed. Objects merge member by member,
 * `null` removes, everything else (arrays too) replaces. Members named `__proto__` are data like any other.
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const result = new Map<string, unknown>(isObject(target) ? Object.entries(target) : [])
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name)
    else result.set(name, mergePatch(result.get(name), value))
  }
  // fromEntries defines own members, so a member called __proto__ cannot reach the prototype.
  return Object.fromEntries(result)
}

/** Merges documents from the root of a chain down to the tenant. No documents: an empty object. */
export function mergeDocuments(documents: readonly DocumentData[]): DocumentData {
  return documents.reduce<unknown>((merged, document) => mergePatch(merged, document), {}) as DocumentData
}

/** True for JSON objects (not arrays, not null). */
export function isObject(value: unknown): value is DocumentData {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
