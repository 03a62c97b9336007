import type { HistoryRecord } from '@tributary/contract'
import type { RevisionedStore, StoreRevision } from '@tributary/store'
import { historyKey, historyPrefix } from '../domain/keys.js'
import type { StoredHistoryRecord } from '../domain/plan-write.js'

/** Records read from the store at a time, unless the reader wants fewer. */
const PAGE_RECORDS = 64

/** A history record with the revision of its write. */
export interface HistoryEntry {
  readonly storeRevision: StoreRevision
  readonly record: StoredHistoryRecord
}

/** Only writes of smaller revisions than `before`, and how many are read at a time: records hold whole documents. */
export interface HistoryRange {
  readonly before?: StoreRevision | undefined
  readonly pageRecords?: number
}

/**
 * The tenant's recorded writes, newest first, in exactly the order of their revisions; with `before`, only those of smaller ones.
 * Records are keys of their own and survive the store's compaction and the tenant's deletion.
 */
export async function* readHistory(
  store: RevisionedStore,
  tenant: string,
  { before, pageRecords = PAGE_RECORDS }: HistoryRange = {},
): AsyncGenerator<HistoryEntry> {
  // A write reads before it writes: whatever was planned at `before - 1` or later has a revision of at least `before`.
  let afterKey = before === undefined || before === 0n ? undefined : historyKey(tenant, before - 1n)
  if (before === 0n) return
  for (;;) {
    const select = { prefix: historyPrefix(tenant) }
    const page = await store.range({ select, limit: pageRecords, ...(afterKey === undefined ? {} : { afterKey }) })
    for (const { createRevision, value } of page.entries) {
      yield { storeRevision: createRevision, record: JSON.parse(value) as StoredHistoryRecord }
    }
    afterKey = page.entries.at(-1)?.key
    if (!page.more || afterKey === undefined) return
  }
}

/** A history record as the API shows it. */
export function describeHistory({ storeRevision, record }: HistoryEntry): HistoryRecord {
  const { at, actor, onBehalfOf, reason, runId, changes } = record
  return {
    storeRevision: String(storeRevision),
    at: new Date(at).toISOString(),
    actor,
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    ...(reason === undefined ? {} : { reason }),
    ...(runId === undefined ? {} : { runId }),
    changes: [...changes],
  }
}
