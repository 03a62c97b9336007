import { Catalog, viewItems } from '@tributary/config-center'
import { hashItems } from '@tributary/contract/hash'
import type { RevisionedStore, WatchBatch } from '@tributary/store'
import type { HeldState } from './subscriber.js'

/** The whole history of the config center's keys, from the store itself. */
export async function readHistory(store: RevisionedStore): Promise<readonly WatchBatch[]> {
  const last = await store.currentRevision()
  const done = new AbortController()
  const batches: WatchBatch[] = []
  for await (const batch of store.watch({ select: { prefix: 'cc/' }, after: 0n, signal: done.signal })) {
    batches.push(batch)
    if (batch.storeRevision >= last) done.abort()
  }
  return batches
}

/** The hash of one tenant's view from each revision at which it changed, by the pure functions alone. */
export class ViewTimeline {
  readonly #revisions: bigint[] = []
  readonly #hashes: string[] = []

  constructor(history: readonly WatchBatch[], tenant: string) {
    const catalog = new Catalog()
    for (const batch of history) {
      const changes = catalog.applyBatch(batch)
      if (changes.length === 0 || catalog.tenant(tenant) === undefined) continue
      const hash = hashItems(viewItems(catalog, tenant, null))
      if (hash === this.#hashes.at(-1)) continue
      this.#revisions.push(batch.storeRevision)
      this.#hashes.push(hash)
    }
  }

  at(revision: bigint): string | undefined {
    let [low, high] = [0, this.#revisions.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#revisions[middle] ?? 0n) <= revision) low = middle + 1
      else high = middle
    }
    return this.#hashes[low - 1]
  }

  /** What contradicts the store: states that never were, and deltas that build on a state that the subscriber did not have. */
  contradictions(states: readonly HeldState[]): { readonly wrong: number; readonly skipped: number } {
    let [wrong, skipped] = [0, 0]
    states.forEach(({ from, revision, hash }, index) => {
      if (this.at(revision) !== hash) wrong += 1
      const before = states[index - 1]
      if (from !== undefined && before !== undefined && this.at(from) !== before.hash) skipped += 1
    })
    return { wrong, skipped }
  }
}
