/**
 * The revisioned store port. It promises what etcd v3 guarantees and nothing more, so that every adapter can keep it:
 * one monotonic revision for the whole store, multi-key transactions with compares, watches that are ordered, unique,
 * reliable, atomic and resumable within the retained history, and leases. See docs/adr/0001.
 */

/** The store's one counter. 0 is "before anything was ever written". Never converted to a `number`. */
export type StoreRevision = bigint

/** One key as it stood at some revision. Keys sort by UTF-8 bytes; none is empty or a single NUL, which is the store's own. Values are UTF-8 text. */
export interface StoreEntry {
  readonly key: string
  readonly value: string
  /** Store revision that created this incarnation of the key. */
  readonly createRevision: StoreRevision
  /** Store revision that last changed the key. */
  readonly modRevision: StoreRevision
  /** Number of changes of this incarnation, 1 after creation. */
  readonly version: bigint
  /** The lease that the key ends with, if any. */
  readonly leaseId?: string
}

/** Which keys: exactly one of them, or all that start with a prefix (`''` is every key). */
export type KeySelector = { readonly key: string } | { readonly prefix: string }

/** What to read. Defaults: newest revision, no limit. */
export interface RangeRequest {
  readonly select: KeySelector
  /**
   * Reads the keys as they stood at this revision. `STORE_COMPACTED` when it is less than the compacted revision,
   * `STORE_FUTURE_REVISION` when not yet reached.
   */
  readonly atRevision?: StoreRevision
  /** At most this many entries (a positive integer), in key order; `more` says whether some were left out. */
  readonly limit?: number
  /** Only keys greater than this one: continues a limited range. */
  readonly afterKey?: string
}

/** Keys in ascending order with the revision at which they were read. */
export interface RangeResult {
  readonly storeRevision: StoreRevision
  readonly entries: readonly StoreEntry[]
  readonly more: boolean
}

/**
 * A condition of a transaction. `modRevision` 0 and `version` 0 mean "the key does not exist". With a prefix the condition
 * must hold for every key below it (so `{ prefix, target: 'modRevision', op: '<=', value: r }` is "nothing below changed since r");
 * a prefix with no key below it compares as 0, like a missing key (so `{ prefix, target: 'version', op: '=', value: 0n }` is
 * "nothing is below").
 */
export interface Compare {
  readonly select: KeySelector
  readonly target: 'modRevision' | 'createRevision' | 'version'
  readonly op: '=' | '!=' | '<' | '<=' | '>' | '>='
  readonly value: bigint
}

/**
 * A write of a transaction. A key may be put at most once in a transaction, and not also deleted; selectors of deletes may
 * overlap (as in etcd). A put without `leaseId` takes the key from its lease. Deleting nothing changes nothing.
 */
export type Mutation =
  | { readonly kind: 'put'; readonly key: string; readonly value: string; readonly leaseId?: string }
  | { readonly kind: 'delete'; readonly select: KeySelector }

/** All compares hold: all mutations happen at one revision. Any fails: nothing happens. */
export interface TransactRequest {
  readonly compares: readonly Compare[]
  readonly mutations: readonly Mutation[]
}

/** `storeRevision` is the transaction's revision when it succeeded and changed something, else the store's current one. */
export interface TransactResult {
  readonly succeeded: boolean
  readonly storeRevision: StoreRevision
}

/** One change of one key. `previous` is absent for a creation; a delete has no `entry`. */
export type StoreEvent =
  | { readonly kind: 'put'; readonly entry: StoreEntry; readonly previous?: StoreEntry }
  | {
      readonly kind: 'delete'
      readonly key: string
      readonly modRevision: StoreRevision
      readonly previous?: StoreEntry
    }

/**
 * All changes of one revision under the watched selector, or none of them: `events` is empty in a bookmark, which only says
 * that everything up to and including `storeRevision` has been delivered.
 */
export interface WatchBatch {
  readonly storeRevision: StoreRevision
  readonly events: readonly StoreEvent[]
}

/** What to watch. */
export interface WatchRequest {
  readonly select: KeySelector
  /** Delivers every batch with a revision greater than this one. */
  readonly after: StoreRevision
  /** Ends the iteration without an error. */
  readonly signal: AbortSignal
}

/** A promise that keys end unless it is kept alive. */
export interface StoreLease {
  readonly leaseId: string
  /** What the store granted; it may be more than was asked for. */
  readonly ttlMs: number
}

/**
 * An ordered key space with one revision. Every method rejects with `AppError`:
 * `STORE_UNAVAILABLE` (retryable; the outcome of a write is then unknown), `STORE_COMPACTED`, `STORE_FUTURE_REVISION`,
 * `STORE_LEASE_NOT_FOUND`, `STORE_TOO_LARGE` (one value over 1 MiB, or a transaction over 128 compares, 128 mutations or
 * 1.5 MiB), `STORE_INVALID_REQUEST` (an empty key, a key written twice, half of a surrogate pair, a limit or time to live that
 * is not positive), `STORE_FULL` (disk or quota; nothing was written), `STORE_CANCELED` (the signal aborted before the call
 * began; nothing was written), `STORE_CLOSED`. The catalogue is `STORE_ERRORS`.
 */
export interface RevisionedStore {
  /** The current revision, linearizable: not older than any write acknowledged before the call. */
  currentRevision(options?: { readonly signal?: AbortSignal }): Promise<StoreRevision>
  /** Reads keys; linearizable when no revision is named. */
  range(request: RangeRequest, options?: { readonly signal?: AbortSignal }): Promise<RangeResult>
  /** Commits atomically. Once it has resolved the write survives `kill -9` and power loss. */
  transact(request: TransactRequest, options?: { readonly signal?: AbortSignal }): Promise<TransactResult>
  /**
   * Batches in revision order, each revision at most once and none missing; events of one revision in no promised order.
   * Ends without an error only when its signal aborts. Throws `STORE_COMPACTED` (with `details.compactedRevision` as decimal
   * text) when `after` is older than the retained history: range again and watch from that revision. Throws `STORE_CLOSED` when
   * the store is closed. Bookmarks come when revisions have changed nothing under the selector, so that a consumer can wait
   * until it has seen everything up to a revision.
   * The buffer is bounded: a consumer that falls too far behind gets `STORE_COMPACTED` too, never a gap.
   */
  watch(request: WatchRequest): AsyncIterable<WatchBatch>
  /** A new lease with a time to live of at least `ttlMs`. */
  grantLease(ttlMs: number): Promise<StoreLease>
  /** Restarts the lease's time to live. `STORE_LEASE_NOT_FOUND` when it has ended: its keys are gone. */
  keepLeaseAlive(leaseId: string): Promise<void>
  /** Ends the lease and deletes its keys in one revision. Unknown leases are not an error. */
  revokeLease(leaseId: string): Promise<void>
  /**
   * Forgets history up to and including `revision`: reads at it and watches after it still work, older ones do not. Current
   * values stay. An older revision than was compacted already changes nothing; `STORE_FUTURE_REVISION` beyond the current one.
   */
  compact(revision: StoreRevision): Promise<void>
  /** Ends all watches with `STORE_CLOSED`, refuses writes that have not begun, and frees the store. Idempotent. */
  close(): Promise<void>
}
