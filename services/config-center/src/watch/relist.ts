import type { RevisionedStore, StoreEntry, StoreEvent, StoreRevision, WatchBatch } from '@tributary/store'
import { HISTORY_PREFIX, STORE_PREFIX } from '../domain/keys.js'

/** Entries asked for at a time: they bound one answer, whatever the store's own limit is. */
const PAGE_ENTRIES = { first: 500, most: 4_000 }
/** What a page is to be, as the one before it lets expect. Large ones are fewer: etcd walks the rest of the keys for each. */
const PAGE_CHARS = 4_194_304

/** Sorts after every history key: where a listing goes on without reading them all. */
const AFTER_HISTORY = `${HISTORY_PREFIX}\u{10FFFF}`

/** All keys that are mirrored, as they stood at one revision. History is left out: it only grows, and is read when asked for. */
export interface Listing {
  readonly storeRevision: StoreRevision
  readonly entries: readonly StoreEntry[]
}

/** True for keys that a mirror keeps. */
export function isMirrored(key: string): boolean {
  return !key.startsWith(HISTORY_PREFIX)
}

/** Reads everything below `cc/` but history at one revision, page by page. Rejects as `RevisionedStore.range` does. */
export async function listStore(store: RevisionedStore, signal: AbortSignal): Promise<Listing> {
  const select = { prefix: STORE_PREFIX }
  const entries: StoreEntry[] = []
  let page = await store.range({ select, limit: PAGE_ENTRIES.first }, { signal })
  const { storeRevision } = page
  for (;;) {
    for (const entry of page.entries) if (isMirrored(entry.key)) entries.push(entry)
    const lastKey = page.entries.at(-1)?.key
    if (!page.more || lastKey === undefined) return { storeRevision, entries }
    const afterKey = isMirrored(lastKey) ? lastKey : AFTER_HISTORY
    const limit = nextPageEntries(page.entries)
    page = await store.range({ select, limit, atRevision: storeRevision, afterKey }, { signal })
  }
}

function nextPageEntries(page: readonly StoreEntry[]): number {
  const chars = page.reduce((sum, { key, value }) => sum + key.length + value.length, 0)
  const fitting = Math.floor((PAGE_CHARS * page.length) / Math.max(1, chars))
  // At most four times as many: the next values may be larger than these.
  return Math.max(1, Math.min(fitting, page.length * 4, PAGE_ENTRIES.most))
}

/** The one batch that leads from `known` to `listing`: what a watch would have said, revisions folded together. */
export function differenceBatch(known: ReadonlyMap<string, StoreEntry>, listing: Listing): WatchBatch {
  const events: StoreEvent[] = []
  const listed = new Set<string>()
  for (const entry of listing.entries) {
    listed.add(entry.key)
    const previous = known.get(entry.key)
    if (previous === undefined) events.push({ kind: 'put', entry })
    else if (previous.modRevision !== entry.modRevision) events.push({ kind: 'put', entry, previous })
  }
  for (const [key, previous] of known) {
    if (!listed.has(key)) events.push({ kind: 'delete', key, modRevision: listing.storeRevision, previous })
  }
  return { storeRevision: listing.storeRevision, events }
}
