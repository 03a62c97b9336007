import type { Clock } from '@tributary/kit'
import type { StoreLease } from '../revisioned-store.js'
import type { LeaseChange } from './staged-changes.js'

interface HeldLease {
  readonly ttlMs: number
  deadlineMs: number
}

/** The leases that have begun and not ended, with their deadlines on the monotonic clock. */
export class LeaseBook {
  readonly #clock: Clock
  #leases = new Map<string, HeldLease>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  has(leaseId: string): boolean {
    return this.#leases.has(leaseId)
  }

  /** True when the lease's time is up, though it may not have been ended yet. */
  isDue(leaseId: string): boolean {
    const lease = this.#leases.get(leaseId)
    return lease !== undefined && lease.deadlineMs <= this.#clock.monotonicMs()
  }

  /** Gives a lease its whole time to live again. */
  restart(leaseId: string): void {
    const lease = this.#leases.get(leaseId)
    if (lease !== undefined) lease.deadlineMs = this.#clock.monotonicMs() + lease.ttlMs
  }

  apply(changes: readonly LeaseChange[]): void {
    for (const change of changes) {
      if (change.kind === 'ended') this.#leases.delete(change.leaseId)
      else this.#begin(change.lease)
    }
  }

  /** Takes over what the file says. A lease that is held already keeps its deadline. */
  replaceAll(leases: readonly StoreLease[]): void {
    const held = this.#leases
    this.#leases = new Map()
    for (const lease of leases) {
      const known = held.get(lease.leaseId)
      if (known === undefined) this.#begin(lease)
      else this.#leases.set(lease.leaseId, known)
    }
  }

  /** The leases whose time is up. */
  due(): string[] {
    return [...this.#leases.keys()].filter((leaseId) => this.isDue(leaseId))
  }

  /** Milliseconds until the next lease is due, Infinity without one. */
  nextDueInMs(): number {
    let next = Infinity
    for (const { deadlineMs } of this.#leases.values()) next = Math.min(next, deadlineMs)
    return next - this.#clock.monotonicMs()
  }

  #begin(lease: StoreLease): void {
    this.#leases.set(lease.leaseId, { ttlMs: lease.ttlMs, deadlineMs: this.#clock.monotonicMs() + lease.ttlMs })
  }
}
