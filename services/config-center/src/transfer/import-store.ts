import type { Mutation, RevisionedStore } from '@tributary/store'
import { historyKey } from '../domain/keys.js'
import { failure } from '../errors.js'
import { readAll } from './export-store.js'
import type { ParsedExport } from './parse-export.js'
import { ContentHash, HISTORY_FLOOR_PREFIX, historyTenantOf, type PortableEntry } from './portable-entry.js'

/** Bounds of one transaction; the store takes 128 mutations and 1.5 MiB. */
const BATCH = { entries: 100, chars: 400_000 }

/**
 * Writes an export into a store, and reads it back to compare number and hash. Revisions are the new store's: history keeps its order
 * under new numbers. A store that holds something is refused; with `replace` it is emptied first. Nothing else may write meanwhile.
 * @throws AppError `STORE_NOT_EMPTY`; `IMPORT_MISMATCH`: the store does not hold what was written; as the store does, with a part written
 */
export async function importStore(
  store: RevisionedStore,
  { entries, contentHash }: ParsedExport,
  { replace }: { readonly replace: boolean },
): Promise<void> {
  await makeEmpty(store, replace)
  const others = entries.filter(({ key }) => historyTenantOf(key) === undefined)
  // Once before history, so that there is a revision before all of it: what the source did not know any more lies before that one.
  await writeOthers(
    store,
    others.filter(({ key }) => isFloor(key)),
    0n,
  )
  const before = await store.currentRevision()
  await writeHistory(store, entries, before)
  await writeOthers(store, others, before)
  await verify(store, { keys: entries.length, contentHash })
}

function isFloor(key: string): boolean {
  return key.startsWith(HISTORY_FLOOR_PREFIX)
}

async function writeOthers(store: RevisionedStore, entries: readonly PortableEntry[], floor: bigint): Promise<void> {
  for (const batch of batches(entries, () => true)) {
    const mutations = batch.map(({ key, value }): Mutation => {
      return { kind: 'put', key, value: isFloor(key) ? String(floor) : value }
    })
    await store.transact({ compares: [], mutations })
  }
}

async function makeEmpty(store: RevisionedStore, replace: boolean): Promise<void> {
  const { entries } = await store.range({ select: { prefix: '' }, limit: 1 })
  if (entries.length === 0) return
  if (!replace) {
    throw failure(
      'STORE_NOT_EMPTY',
      'The store holds data already, nothing is written; name an empty one, or use --force.',
    )
  }
  await store.transact({ compares: [], mutations: [{ kind: 'delete', select: { prefix: '' } }] })
}

/** Oldest first, so that the order of the revisions is the order of the writes; a tenant's records lie in transactions of their own. */
async function writeHistory(store: RevisionedStore, entries: readonly PortableEntry[], before: bigint): Promise<void> {
  const records = entries.filter(({ key }) => historyTenantOf(key) !== undefined)
  const oldestFirst = records.sort((left, right) => Number(left.createRevision - right.createRevision))
  const isFree = (batch: readonly PortableEntry[], { key }: PortableEntry): boolean =>
    !batch.some((other) => historyTenantOf(other.key) === historyTenantOf(key))
  let readRevision = before
  for (const batch of batches(oldestFirst, isFree)) {
    const mutations = batch.map(({ key, value }): Mutation => {
      return { kind: 'put', key: historyKey(historyTenantOf(key) ?? '', readRevision), value }
    })
    readRevision = (await store.transact({ compares: [], mutations })).storeRevision
  }
}

function* batches(
  entries: readonly PortableEntry[],
  fits: (batch: readonly PortableEntry[], entry: PortableEntry) => boolean,
): Generator<readonly PortableEntry[]> {
  let [batch, chars]: [PortableEntry[], number] = [[], 0]
  for (const entry of entries) {
    const size = entry.key.length + entry.value.length
    const isFull = batch.length >= BATCH.entries || chars + size > BATCH.chars || !fits(batch, entry)
    if (isFull && batch.length > 0) {
      yield batch
      ;[batch, chars] = [[], 0]
    }
    batch.push(entry)
    chars += size
  }
  if (batch.length > 0) yield batch
}

async function verify(
  store: RevisionedStore,
  expected: { readonly keys: number; readonly contentHash: string },
): Promise<void> {
  const content = new ContentHash()
  for await (const entry of readAll(store, await store.currentRevision())) content.add(entry)
  if (content.keys === expected.keys && content.digest() === expected.contentHash) return
  throw failure(
    'IMPORT_MISMATCH',
    `The store holds ${content.keys} keys after the import of ${expected.keys}, or others: did something else write? Import again with --force.`,
  )
}
