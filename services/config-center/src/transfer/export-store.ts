import type { RevisionedStore, StoreEntry } from '@tributary/store'
import { ContentHash, isRunningState, type TransferSummary } from './portable-entry.js'

const PAGE_ENTRIES = 500

/** First line of an export. */
export const EXPORT_FORMAT = 'tributary-store/1'

/**
 * Everything in a store at one revision as lines of JSON: what it is, one line for each key, and at the end how many there are and
 * their hash. Keys of leases are left out, and what belongs to the running replicas of one installation. Writes that happen meanwhile
 * are not in it.
 * @throws AppError as the store does; `STORE_COMPACTED` when it takes longer than the store keeps its log.
 */
export async function* exportStore(store: RevisionedStore): AsyncGenerator<string, TransferSummary> {
  const storeRevision = await store.currentRevision()
  yield JSON.stringify({ format: EXPORT_FORMAT, storeRevision: String(storeRevision) })
  const content = new ContentHash()
  let leasedKeysLeftOut = 0
  for await (const { key, value, createRevision, leaseId } of readAll(store, storeRevision)) {
    if (isRunningState(key)) continue
    if (leaseId !== undefined) {
      leasedKeysLeftOut += 1
      continue
    }
    content.add({ key, value })
    yield JSON.stringify({ key, value, createRevision: String(createRevision) })
  }
  const summary = { keys: content.keys, leasedKeysLeftOut, contentHash: content.digest() }
  yield JSON.stringify(summary)
  return summary
}

/** All entries in the order of their keys. */
export async function* readAll(store: RevisionedStore, atRevision: bigint): AsyncGenerator<StoreEntry> {
  for (let after: { readonly afterKey?: string } = {}; ;) {
    const page = await store.range({ select: { prefix: '' }, limit: PAGE_ENTRIES, atRevision, ...after })
    yield* page.entries
    const last = page.entries.at(-1)
    if (!page.more || last === undefined) return
    after = { afterKey: last.key }
  }
}
