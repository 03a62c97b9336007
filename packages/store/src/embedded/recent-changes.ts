import type { StoreRevision, WatchBatch } from '../revisioned-store.js'

/** How much of the newest history is kept in memory, whichever is reached first. */
export interface RecentChangesLimits {
  readonly maxRevisions: number
  /** Estimate: characters of keys and values. */
  readonly maxSize: number
}

/**
 * The newest revisions in memory, without a gap. Every watcher reads from this one window by its own position, so a slow
 * watcher costs nothing: what it has missed when the window has moved on comes from the file.
 */
export class RecentChanges {
  readonly #limits: RecentChangesLimits
  #batches: WatchBatch[] = []
  /** Index of the oldest kept batch: the array is cut now and then, not at every revision. */
  #start = 0
  #size = 0
  #newest: StoreRevision

  /** @param newest the revision before the first that will be pushed. */
  constructor(newest: StoreRevision, limits: RecentChangesLimits) {
    this.#newest = newest
    this.#limits = limits
  }

  /** Every revision greater than this one is here. */
  get after(): StoreRevision {
    return this.#newest - BigInt(this.#batches.length - this.#start)
  }

  /** Number of revisions held. */
  get length(): number {
    return this.#batches.length - this.#start
  }

  /** The batch of `revision`, undefined when it is not held. */
  at(revision: StoreRevision): WatchBatch | undefined {
    if (revision <= this.after || revision > this.#newest) return undefined
    return this.#batches[this.#start + Number(revision - this.after - 1n)]
  }

  /** Adds the next revision and forgets the oldest ones beyond the limits. */
  push(batch: WatchBatch): void {
    this.#batches.push(batch)
    this.#newest = batch.storeRevision
    this.#size += batchSize(batch)
    while (this.length > this.#limits.maxRevisions || (this.#size > this.#limits.maxSize && this.length > 0))
      this.#dropOldest()
    if (this.#start > this.#limits.maxRevisions) this.#cut()
  }

  #dropOldest(): void {
    const oldest = this.#batches[this.#start]
    if (oldest !== undefined) this.#size -= batchSize(oldest)
    // The slot is emptied now, so that its values can be collected before the array is cut.
    this.#batches[this.#start] = FORGOTTEN
    this.#start += 1
  }

  #cut(): void {
    this.#batches = this.#batches.slice(this.#start)
    this.#start = 0
  }
}

const FORGOTTEN: WatchBatch = { storeRevision: 0n, events: [] }

/** Rough size of a batch in memory: characters of its keys and of its new and previous values. */
export function batchSize(batch: WatchBatch): number {
  return batch.events.reduce((sum, event) => {
    const key = event.kind === 'put' ? event.entry.key : event.key
    const value = event.kind === 'put' ? event.entry.value.length : 0
    return sum + key.length + value + (event.previous?.value.length ?? 0)
  }, 0)
}
