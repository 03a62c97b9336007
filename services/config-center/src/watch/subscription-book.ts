import type { AppliedReport, Subscription } from '@tributary/contract'
import { failure } from '../errors.js'
import type { Subscriber } from './subscriber.js'

/** Told what becomes of subscribers; runs synchronously and must not throw. */
export interface BookListener {
  onJoined(subscriber: Subscriber): void
  onReported(subscriber: Subscriber): void
  onLeft(subscriber: Subscriber): void
}

/** All live subscribers of this replica. */
export class SubscriptionBook {
  readonly #byId = new Map<string, Subscriber>()
  readonly #byTenant = new Map<string, Set<Subscriber>>()
  readonly #listeners = new Set<BookListener>()

  /** Long polls included. */
  get size(): number {
    return this.#byId.size
  }

  all(): IterableIterator<Subscriber> {
    return this.#byId.values()
  }

  /** Those that follow `tenant`'s view, long polls included. */
  ofTenant(tenant: string): readonly Subscriber[] {
    return [...(this.#byTenant.get(tenant) ?? [])]
  }

  /**
   * The subscriber of a stream.
   * @throws AppError `SUBSCRIPTION_NOT_FOUND`
   */
  get(subscriptionId: string): Subscriber {
    const found = this.#byId.get(subscriptionId)
    if (found?.kind === 'stream') return found
    const advice = 'It may have ended, or another replica has it; report under the id of the newest hello.'
    throw failure('SUBSCRIPTION_NOT_FOUND', `There is no subscription ${subscriptionId} here. ${advice}`)
  }

  /** The live streams, of one tenant or of all, in the order in which they came. */
  list(tenant?: string): Subscription[] {
    const subscribers = tenant === undefined ? [...this.all()] : this.ofTenant(tenant)
    return subscribers.filter(({ kind }) => kind === 'stream').map((subscriber) => subscriber.describe())
  }

  add(subscriber: Subscriber): void {
    this.#byId.set(subscriber.id, subscriber)
    const peers = this.#byTenant.get(subscriber.tenant)
    if (peers === undefined) this.#byTenant.set(subscriber.tenant, new Set([subscriber]))
    else peers.add(subscriber)
    for (const listener of this.#listeners) listener.onJoined(subscriber)
  }

  /** False when it had gone already. */
  remove(subscriber: Subscriber): boolean {
    if (!this.#byId.delete(subscriber.id)) return false
    const peers = this.#byTenant.get(subscriber.tenant)
    peers?.delete(subscriber)
    if (peers?.size === 0) this.#byTenant.delete(subscriber.tenant)
    for (const listener of this.#listeners) listener.onLeft(subscriber)
    return true
  }

  /** Notes a subscriber's report and tells whoever waits for it. */
  report(subscriber: Subscriber, report: AppliedReport): void {
    subscriber.report(report)
    for (const listener of this.#listeners) listener.onReported(subscriber)
  }

  /** Follows comings, reports and goings. Returns how to stop that. */
  follow(listener: BookListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
