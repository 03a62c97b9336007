import type { StoreEvent, StoreRevision, WatchBatch } from '@tributary/store'

/**
 * What a watch promises, in the words of etcd's API guarantees.
 *
 * | guarantee | broken when |
 * | --- | --- |
 * | ordered | a batch comes after one with a higher revision |
 * | unique | a revision is delivered twice in one session |
 * | reliable | a revision in the middle of what was delivered is missing |
 * | atomic | a batch is not exactly the changes of its revision |
 * | resumable | a session does not go on right after the revision that it was asked to go on from |
 * | bookmarkable | a bookmark says "up to here", but a change up to there had not been delivered or comes later |
 */
export type WatchGuarantee = 'ordered' | 'unique' | 'reliable' | 'atomic' | 'resumable' | 'bookmarkable'

/** One broken promise. */
export interface WatchViolation {
  readonly guarantee: WatchGuarantee
  readonly message: string
}

/** What one call of `watch` delivered. */
export interface WatchRecord {
  readonly after: StoreRevision
  readonly batches: readonly WatchBatch[]
}

/** Changes by revision, known from another source than a watch. Revisions that changed nothing under the selector are absent. */
export type History = ReadonlyMap<StoreRevision, readonly StoreEvent[]>

/** Compares what a watch delivered with what happened, and names every broken promise; an empty list means that all were kept. */
export function watchViolations(history: History, record: WatchRecord): WatchViolation[] {
  const revisions = [...history.keys()].sort((left, right) => (left < right ? -1 : 1))
  return new Examination(history, revisions).of(record)
}

class Examination {
  readonly #history: History
  readonly #revisions: readonly StoreRevision[]
  readonly #violations: WatchViolation[] = []
  readonly #delivered = new Set<StoreRevision>()
  #highest: StoreRevision = 0n
  #bookmark: StoreRevision = 0n

  constructor(history: History, revisions: readonly StoreRevision[]) {
    this.#history = history
    this.#revisions = revisions
  }

  of({ after, batches }: WatchRecord): WatchViolation[] {
    this.#highest = after
    for (const batch of batches) {
      if (batch.events.length === 0) this.#bookmarkAt(batch.storeRevision, after)
      else this.#changeAt(batch, after)
    }
    return this.#violations
  }

  #changeAt({ storeRevision, events }: WatchBatch, after: StoreRevision): void {
    if (storeRevision <= after) this.#report('resumable', `${storeRevision} is not after ${after}`)
    else if (this.#delivered.has(storeRevision)) this.#report('unique', `${storeRevision} came twice`)
    else if (storeRevision <= this.#bookmark) this.#report('bookmarkable', `${storeRevision} came after its bookmark`)
    else if (storeRevision < this.#highest) this.#report('ordered', `${storeRevision} came after ${this.#highest}`)
    else this.#missing(after, storeRevision - 1n, this.#delivered.size === 0 ? 'resumable' : 'reliable')
    this.#delivered.add(storeRevision)
    if (storeRevision > this.#highest) this.#highest = storeRevision
    const expected = describe(this.#history.get(storeRevision) ?? [])
    const actual = describe(events)
    if (actual !== expected) this.#report('atomic', `${storeRevision} is ${actual}, not ${expected}`)
  }

  #bookmarkAt(revision: StoreRevision, after: StoreRevision): void {
    if (revision < this.#highest) this.#report('ordered', `the bookmark ${revision} came after ${this.#highest}`)
    this.#missing(after, revision, 'bookmarkable')
    if (revision > this.#bookmark) this.#bookmark = revision
    if (revision > this.#highest) this.#highest = revision
  }

  /** Reports each revision in (after, upTo] that was not delivered, once. */
  #missing(after: StoreRevision, upTo: StoreRevision, guarantee: WatchGuarantee): void {
    for (const revision of this.#revisions) {
      if (revision <= after || revision > upTo || this.#delivered.has(revision)) continue
      this.#report(guarantee, `${revision} was not delivered`)
      this.#delivered.add(revision)
    }
  }

  #report(guarantee: WatchGuarantee, message: string): void {
    this.#violations.push({ guarantee, message })
  }
}

function describe(events: readonly StoreEvent[]): string {
  return events
    .map((event) => (event.kind === 'put' ? `put ${event.entry.key}=${event.entry.value}` : `delete ${event.key}`))
    .sort()
    .join(', ')
}
