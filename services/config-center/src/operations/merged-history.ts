import type { RevisionedStore, StoreRevision } from '@tributary/store'
import { readHistory, type HistoryEntry } from './read-history.js'

/** An entry with the history that it is of. */
export interface SourcedEntry extends HistoryEntry {
  readonly tenant: string
}

/** All entries of one transaction, which may have changed several tenants. */
export interface MergedEntries {
  readonly revision: StoreRevision
  readonly entries: readonly SourcedEntry[]
}

/** Which histories, each with a revision that nothing in it is newer than; `before`: only entries of smaller revisions. */
export interface MergeRequest {
  readonly heads: Iterable<readonly [tenant: string, head: StoreRevision]>
  readonly before: StoreRevision
}

/** Of one history at a time: records hold whole documents, and most histories give but a few. */
const PAGE_RECORDS = 8

/**
 * The entries of several histories, newest first, in exactly the order of their revisions. A history is read only when all that is newer
 * in others has been taken: of a thousand tenants the newest fifty writes cost as many reads as they have tenants.
 */
export async function* mergedHistory(store: RevisionedStore, request: MergeRequest): AsyncGenerator<MergedEntries> {
  const { before } = request
  // Oldest first, so that the newest is taken from the end.
  const sources = [...request.heads]
    .map(([tenant, head]) => new Source(store, tenant, { head, before }))
    .sort((left, right) => (left.bound < right.bound ? -1 : 1))
  let entries: SourcedEntry[] = []
  for (let source = sources.pop(); source !== undefined; source = sources.pop()) {
    const [first] = entries
    if (first !== undefined && source.bound < first.storeRevision) {
      yield { revision: first.storeRevision, entries }
      entries = []
    }
    if (source.current !== undefined) entries.push(source.current)
    if (await source.advance()) insert(sources, source)
  }
  const [first] = entries
  if (first !== undefined) yield { revision: first.storeRevision, entries }
}

/** One history, of which at first only is known that it has nothing newer than its head. */
class Source {
  /** Nothing newer than this is left in it. */
  bound: StoreRevision
  current: SourcedEntry | undefined
  readonly #tenant: string
  readonly #entries: AsyncGenerator<HistoryEntry>

  constructor(
    store: RevisionedStore,
    tenant: string,
    { head, before }: { readonly head: StoreRevision; readonly before: StoreRevision },
  ) {
    this.bound = head < before ? head : before - 1n
    this.#tenant = tenant
    this.#entries = readHistory(store, tenant, { before, pageRecords: PAGE_RECORDS })
  }

  /** Reads the next entry; false when there is none. */
  async advance(): Promise<boolean> {
    const next = await this.#entries.next()
    if (next.done === true) return false
    this.current = { ...next.value, tenant: this.#tenant }
    this.bound = next.value.storeRevision
    return true
  }
}

function insert(sources: Source[], source: Source): void {
  let [low, high] = [0, sources.length]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if ((sources[middle]?.bound ?? 0n) < source.bound) low = middle + 1
    else high = middle
  }
  sources.splice(low, 0, source)
}
