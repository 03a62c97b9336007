import type { Compare, Mutation } from '@tributary/store'
import type { CatalogReader } from './catalog.js'
import { headKey, historyKey } from './keys.js'
import type { StoredHistoryRecord } from './plan-write.js'

/**
 * Histories that are of no tenant, kept as those of tenants are: ordered by a head, bounded, exported. No tenant can have these names.
 *
 * | name | what |
 * | --- | --- |
 * | `@tokens` | tokens made and revoked |
 * | `@refused` | requests that were refused, counted |
 */
export const SYSTEM_HISTORIES = { tokens: '@tokens', refused: '@refused' } as const
export type SystemHistory = (typeof SYSTEM_HISTORIES)[keyof typeof SYSTEM_HISTORIES]

/** True for the name of a system history, false for a tenant's. */
export function isSystemHistory(name: string): boolean {
  return name.startsWith('@')
}

/** What a transaction compares and writes to add a record: its place in the order is that of the transaction. */
export function recordIn(
  catalog: CatalogReader,
  history: SystemHistory,
  record: StoredHistoryRecord,
): { readonly compares: Compare[]; readonly mutations: Mutation[] } {
  const head = catalog.head(history)
  return {
    compares: [{ select: { key: headKey(history) }, target: 'modRevision', op: '=', value: head }],
    mutations: [
      { kind: 'put', key: headKey(history), value: '{}' },
      { kind: 'put', key: historyKey(history, catalog.storeRevision), value: JSON.stringify(record) },
    ],
  }
}
