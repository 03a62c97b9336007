import type {
  KeySelector,
  Mutation,
  StoreEntry,
  StoreEvent,
  StoreLease,
  StoreRevision,
  WatchBatch,
} from '../revisioned-store.js'
import { compareUtf8 } from '../utf8.js'
import { selects } from '../key-selector.js'
import type { CurrentKeys } from './current-keys.js'

/** A lease that begins or ends with a commit. */
export type LeaseChange =
  { readonly kind: 'granted'; readonly lease: StoreLease } | { readonly kind: 'ended'; readonly leaseId: string }

/** What is committed already: staged changes lie over it and never change it. */
export interface CommittedView {
  readonly revision: StoreRevision
  readonly keys: Pick<CurrentKeys, 'get' | 'select' | 'keysOfLease'>
  hasLease(leaseId: string): boolean
}

/**
 * The changes of one group commit before they are durable. Later requests of the group see earlier ones; nobody else does
 * until the commit has succeeded, so a failed commit leaves nothing to undo in memory.
 */
export class StagedChanges {
  readonly #base: CommittedView
  /** Undefined marks a key that the group deleted. */
  readonly #overlay = new Map<string, StoreEntry | undefined>()
  readonly #leases = new Map<string, boolean>()
  readonly batches: WatchBatch[] = []
  readonly leaseChanges: LeaseChange[] = []
  /** Characters of the values put so far: bounds the group. */
  size = 0

  constructor(base: CommittedView) {
    this.#base = base
  }

  /** The revision after the changes staged so far. */
  get revision(): StoreRevision {
    return this.batches.at(-1)?.storeRevision ?? this.#base.revision
  }

  get isEmpty(): boolean {
    return this.batches.length === 0 && this.leaseChanges.length === 0
  }

  hasLease(leaseId: string): boolean {
    return this.#leases.get(leaseId) ?? this.#base.hasLease(leaseId)
  }

  /** The selected entries as the group leaves them so far, in no order. Stop iterating before the next change. */
  *select(select: KeySelector): Generator<StoreEntry, void> {
    if ('key' in select) {
      const entry = this.#get(select.key)
      if (entry !== undefined) yield entry
      return
    }
    for (const entry of this.#base.keys.select(select)) {
      if (!this.#overlay.has(entry.key)) yield entry
    }
    for (const [key, entry] of this.#overlay) {
      if (entry !== undefined && selects(select, key)) yield entry
    }
  }

  /** Stages the mutations as one revision, or nothing when they change nothing. Answers the revision after it. */
  write(mutations: readonly Mutation[]): StoreRevision {
    const next = this.revision + 1n
    const events = new Map<string, StoreEvent>()
    for (const mutation of mutations) {
      for (const event of this.#events(mutation, next)) events.set(eventKey(event), event)
    }
    this.#record(next, [...events.values()])
    return this.revision
  }

  grantLease(lease: StoreLease): void {
    this.leaseChanges.push({ kind: 'granted', lease })
    this.#leases.set(lease.leaseId, true)
  }

  /** Ends the lease and stages the deletion of its keys as one revision. An unknown lease changes nothing. */
  endLease(leaseId: string): void {
    if (!this.hasLease(leaseId)) return
    const next = this.revision + 1n
    const candidates = new Set([...this.#base.keys.keysOfLease(leaseId), ...this.#overlay.keys()])
    const events = [...candidates].flatMap((key) => {
      const entry = this.#get(key)
      return entry?.leaseId === leaseId ? [deletion(entry, next)] : []
    })
    this.leaseChanges.push({ kind: 'ended', leaseId })
    this.#leases.set(leaseId, false)
    this.#record(next, events)
  }

  #get(key: string): StoreEntry | undefined {
    return this.#overlay.has(key) ? this.#overlay.get(key) : this.#base.keys.get(key)
  }

  #events(mutation: Mutation, revision: StoreRevision): StoreEvent[] {
    if (mutation.kind === 'delete') {
      return Array.from(this.select(mutation.select), (entry) => deletion(entry, revision))
    }
    const previous = this.#get(mutation.key)
    const entry: StoreEntry = {
      key: mutation.key,
      value: mutation.value,
      createRevision: previous?.createRevision ?? revision,
      modRevision: revision,
      version: (previous?.version ?? 0n) + 1n,
      ...(mutation.leaseId === undefined ? {} : { leaseId: mutation.leaseId }),
    }
    return [{ kind: 'put', entry, ...(previous === undefined ? {} : { previous }) }]
  }

  #record(revision: StoreRevision, events: StoreEvent[]): void {
    if (events.length === 0) return
    for (const event of events) {
      this.#overlay.set(eventKey(event), event.kind === 'put' ? event.entry : undefined)
      if (event.kind === 'put') this.size += event.entry.value.length
    }
    events.sort((left, right) => compareUtf8(eventKey(left), eventKey(right)))
    this.batches.push({ storeRevision: revision, events })
  }
}

/** The key that an event is about. */
export function eventKey(event: StoreEvent): string {
  return event.kind === 'put' ? event.entry.key : event.key
}

function deletion(entry: StoreEntry, revision: StoreRevision): StoreEvent {
  return { kind: 'delete', key: entry.key, modRevision: revision, previous: entry }
}
