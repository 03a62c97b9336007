import type { Convergence, Laggard } from '@tributary/contract'
import type { StoreRevision } from '@tributary/store'
import type { Subscriber } from './subscriber.js'
import type { BookListener, SubscriptionBook } from './subscription-book.js'

/** What one wait is about. */
export interface RoundOptions {
  readonly book: SubscriptionBook
  readonly storeRevision: StoreRevision
  readonly tenant: string | undefined
  /** Called once, when nobody is left to wait for. */
  readonly onSettled: () => void
}

/**
 * Follows the subscribers that a revision concerns until each has applied it, has failed to, or has gone. One that reconnects
 * while behind is waited for again, so that a laggard cannot get out of the count by dropping its connection.
 */
export class ConvergenceRound implements BookListener {
  readonly #options: RoundOptions
  readonly #affected = new Set<string>()
  readonly #waiting = new Set<Subscriber>()
  readonly #failed = new Set<Subscriber>()
  readonly #unfollow: () => void

  constructor(options: RoundOptions) {
    this.#options = options
    for (const subscriber of options.book.all()) this.#consider(subscriber)
    this.#unfollow = options.book.follow(this)
  }

  get settled(): boolean {
    return this.#waiting.size === 0
  }

  onJoined(subscriber: Subscriber): void {
    this.#consider(subscriber)
  }

  onReported(subscriber: Subscriber): void {
    if (!this.#affected.has(subscriber.id)) return
    const applied = subscriber.appliedRevision >= this.#options.storeRevision
    if (subscriber.error !== null) this.#failed.add(subscriber)
    else if (applied) this.#failed.delete(subscriber)
    if (applied || subscriber.error !== null) this.#settle(subscriber)
  }

  onLeft(subscriber: Subscriber): void {
    this.#failed.delete(subscriber)
    this.#settle(subscriber)
  }

  /** How things stand. */
  result(): Convergence {
    const laggards = [...this.#waiting, ...this.#failed].map(laggardOf)
    return {
      storeRevision: `${this.#options.storeRevision}`,
      converged: laggards.length === 0,
      affected: this.#affected.size,
      laggards,
    }
  }

  /** Stops following. */
  dispose(): void {
    this.#unfollow()
  }

  #consider(subscriber: Subscriber): void {
    const { storeRevision, tenant } = this.#options
    if (subscriber.kind !== 'stream' || (tenant !== undefined && subscriber.tenant !== tenant)) return
    const channels = [subscriber.view, subscriber.table]
    const changed = channels.some((channel) => channel !== undefined && channel.changedAt >= storeRevision)
    if (!changed && subscriber.movedAt < storeRevision) return
    this.#affected.add(subscriber.id)
    if (subscriber.appliedRevision < storeRevision) this.#waiting.add(subscriber)
    else if (subscriber.error !== null) this.#failed.add(subscriber)
  }

  #settle(subscriber: Subscriber): void {
    if (this.#waiting.delete(subscriber) && this.settled) this.#options.onSettled()
  }
}

function laggardOf(subscriber: Subscriber): Laggard {
  const { subscriptionId, tenant, service, instance, appliedRevision, error } = subscriber.describe()
  return { subscriptionId, tenant, service, instance, appliedRevision, error }
}
