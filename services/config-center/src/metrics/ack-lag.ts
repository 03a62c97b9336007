import type { StoreRevision } from '@tributary/store'
import type { Subscriber } from '../watch/subscriber.js'
import type { BookListener } from '../watch/subscription-book.js'

/** Revisions whose arrival is remembered; a report of an older one is not measured. */
const MAX_REVISIONS = 1_024

/** Measures from a revision's arrival at the replica to each report that it has been applied. */
export class AckLag implements BookListener {
  readonly #arrivedAtMs = new Map<StoreRevision, number>()
  /** What each subscriber has been measured for, so that a repeated report is not a second one. */
  readonly #measured = new WeakMap<Subscriber, StoreRevision>()
  readonly #observe: (seconds: number) => void

  constructor(observe: (seconds: number) => void) {
    this.#observe = observe
  }

  /** Notes that a revision has arrived. */
  arrived(revision: StoreRevision): void {
    this.#arrivedAtMs.set(revision, performance.now())
    if (this.#arrivedAtMs.size <= MAX_REVISIONS) return
    for (const oldest of this.#arrivedAtMs.keys()) {
      this.#arrivedAtMs.delete(oldest)
      return
    }
  }

  onReported(subscriber: Subscriber): void {
    const revision = subscriber.appliedRevision
    const arrivedAtMs = this.#arrivedAtMs.get(revision)
    if (arrivedAtMs === undefined || this.#measured.get(subscriber) === revision) return
    this.#measured.set(subscriber, revision)
    this.#observe((performance.now() - arrivedAtMs) / 1_000)
  }

  onJoined(): void {}

  onLeft(): void {}
}
