import type { RevisionedStore, StoreEntry, StoreRevision } from '@tributary/store'
import { countForgotten, historyFloorKey, parseFloor, type HistoryLimits } from '../domain/history-floor.js'
import { HISTORY_PREFIX, historyPrefix } from '../domain/keys.js'
import type { StoredHistoryRecord } from '../domain/plan-write.js'

/** What a pass needs. `now` is epoch milliseconds. */
export interface PruneOptions {
  readonly store: RevisionedStore
  readonly limits: HistoryLimits
  readonly now: number
  readonly signal: AbortSignal
}

/** Records read at a time: they hold whole documents. */
const PAGE_RECORDS = 64
/** Records forgotten in one transaction. */
const BATCH_RECORDS = 50
/** Sorts after every key below a prefix. */
const LAST = '\u{10FFFF}'

/**
 * Forgets the old end of every tenant's history, deleted tenants' too, and answers how many records went. Small transactions; each
 * also notes the revision up to which nothing is known any more. Replicas that do it at the same time do not disturb each other.
 * @throws AppError as the store does; what has been forgotten until then stays forgotten.
 */
export async function pruneHistory(options: PruneOptions): Promise<number> {
  let pruned = 0
  for await (const tenant of tenantsWithHistory(options)) pruned += await pruneTenant(tenant, options)
  return pruned
}

/** The revision up to which the tenant's history has been forgotten; 0: all of it is there. */
export async function readHistoryFloor(store: RevisionedStore, tenant: string): Promise<StoreRevision> {
  const { entries } = await store.range({ select: { key: historyFloorKey(tenant) } })
  return parseFloor(entries[0]?.value)
}

/** Jumps from tenant to tenant without reading their records. */
async function* tenantsWithHistory({ store, signal }: PruneOptions): AsyncGenerator<string> {
  let afterKey = HISTORY_PREFIX
  while (!signal.aborted) {
    const { entries } = await store.range({ select: { prefix: HISTORY_PREFIX }, limit: 1, afterKey }, { signal })
    const tenant = entries[0]?.key.slice(HISTORY_PREFIX.length).split('/')[0]
    if (tenant === undefined) return
    yield tenant
    afterKey = `${historyPrefix(tenant)}${LAST}`
  }
}

interface KnownRecord {
  readonly key: string
  readonly revision: StoreRevision
  readonly at: number
}

async function pruneTenant(tenant: string, options: PruneOptions): Promise<number> {
  const { store, limits, now, signal } = options
  const records = await readRecords(tenant, options)
  const count = countForgotten(records, limits, now)
  const oldestFirst = records.slice(records.length - count).reverse()
  let pruned = 0
  while (pruned < count && !signal.aborted) {
    const batch = oldestFirst.slice(pruned, pruned + BATCH_RECORDS)
    if (!(await forget(store, tenant, batch))) break
    pruned += batch.length
  }
  return pruned
}

async function readRecords(tenant: string, { store, signal }: PruneOptions): Promise<KnownRecord[]> {
  const records: KnownRecord[] = []
  const select = { prefix: historyPrefix(tenant) }
  for (let afterKey: string | undefined = undefined; ;) {
    const rest: { readonly afterKey?: string } = afterKey === undefined ? {} : { afterKey }
    const page = await store.range({ select, limit: PAGE_RECORDS, ...rest }, { signal })
    records.push(...page.entries.map(toRecord))
    afterKey = page.entries.at(-1)?.key
    if (!page.more || afterKey === undefined) return records
  }
}

function toRecord({ key, createRevision, value }: StoreEntry): KnownRecord {
  return { key, revision: createRevision, at: (JSON.parse(value) as StoredHistoryRecord).at }
}

/** False when another replica has moved the floor meanwhile: the next pass sees what is left. `batch` is oldest first. */
async function forget(store: RevisionedStore, tenant: string, batch: readonly KnownRecord[]): Promise<boolean> {
  const select = { key: historyFloorKey(tenant) }
  const known = (await store.range({ select })).entries[0]
  const revision = batch.at(-1)?.revision ?? 0n
  // A floor only rises: below it there may have been records that nobody can read any more.
  const floor = revision > parseFloor(known?.value) ? revision : parseFloor(known?.value)
  const { succeeded } = await store.transact({
    compares: [{ select, target: 'modRevision', op: '=', value: known?.modRevision ?? 0n }],
    mutations: [
      ...batch.map(({ key }) => ({ kind: 'delete', select: { key } }) as const),
      { kind: 'put', key: select.key, value: String(floor) },
    ],
  })
  return succeeded
}
