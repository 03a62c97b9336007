import type { Clock } from '@tributary/kit'
import type { StoreEntry, StoreLease, StoreRevision, WatchBatch } from '../revisioned-store.js'
import { CurrentKeys } from './current-keys.js'
import { LeaseBook } from './lease-book.js'
import { RecentChanges, type RecentChangesLimits } from './recent-changes.js'
import type { CommittedView, LeaseChange } from './staged-changes.js'

/** What a file held when it was opened. */
export interface LoadedState {
  readonly revision: StoreRevision
  readonly compactedRevision: StoreRevision
  readonly entries: Iterable<StoreEntry>
  readonly leases: readonly StoreLease[]
}

/** What is durable, in memory: all reads and watches are served from here. It changes only after a commit succeeded. */
export class CommittedState implements CommittedView {
  readonly keys = new CurrentKeys()
  readonly leases: LeaseBook
  readonly recent: RecentChanges
  readonly #listeners = new Set<() => void>()
  #revision: StoreRevision
  #compactedRevision: StoreRevision

  constructor(loaded: LoadedState, options: { readonly clock: Clock; readonly recent: RecentChangesLimits }) {
    this.#revision = loaded.revision
    this.#compactedRevision = loaded.compactedRevision
    this.keys.load(loaded.entries)
    this.leases = new LeaseBook(options.clock)
    this.leases.replaceAll(loaded.leases)
    this.recent = new RecentChanges(loaded.revision, options.recent)
  }

  get revision(): StoreRevision {
    return this.#revision
  }

  /** History up to and including this revision is forgotten. */
  get compactedRevision(): StoreRevision {
    return this.#compactedRevision
  }

  hasLease(leaseId: string): boolean {
    return this.leases.has(leaseId)
  }

  /** Makes durable changes visible, then wakes the listeners. */
  apply(batches: readonly WatchBatch[], leaseChanges: readonly LeaseChange[]): void {
    for (const batch of batches) {
      this.keys.apply(batch.events)
      this.recent.push(batch)
      this.#revision = batch.storeRevision
    }
    this.leases.apply(leaseChanges)
    this.wake()
  }

  compacted(revision: StoreRevision): void {
    if (revision > this.#compactedRevision) this.#compactedRevision = revision
    this.wake()
  }

  /** Calls `listener` after every change until the returned function is called. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Calls all listeners. */
  wake(): void {
    for (const listener of this.#listeners) listener()
  }
}
