import { isAppError, type Clock } from '@tributary/kit'
import type { RevisionedStore, StoreRevision } from './revisioned-store.js'

/** Renewals in the time of a lease: two may fail. */
const RENEWALS_PER_LEASE = 3

/** What is kept in the store while its process lives. */
export interface LeasedEntryOptions {
  readonly store: RevisionedStore
  readonly clock: Clock
  readonly key: string
  readonly value: string
  /** How long the entry outlives a process that died, at most. Milliseconds. */
  readonly leaseMs: number
}

/** An entry under a lease that is renewed until {@link LeasedEntry.stop}; one whose lease was lost is put again. */
export class LeasedEntry {
  readonly #options: LeasedEntryOptions
  readonly #stopping = new AbortController()
  #leaseId: string | undefined
  #renewing: Promise<void> = Promise.resolve()
  #revision: StoreRevision = 0n

  private constructor(options: LeasedEntryOptions) {
    this.#options = options
  }

  /**
   * Resolves when the entry is in the store.
   * @throws AppError as the store does.
   */
  static async start(options: LeasedEntryOptions): Promise<LeasedEntry> {
    const entry = new LeasedEntry(options)
    await entry.#put()
    entry.#renewing = entry.#renewForever()
    return entry
  }

  /** As {@link LeasedEntry.start}, without waiting: the entry comes as soon as the store takes it, however long that is. */
  static keep(options: LeasedEntryOptions): LeasedEntry {
    const entry = new LeasedEntry(options)
    entry.#renewing = entry.#renewOnce().then(() => entry.#renewForever())
    return entry
  }

  /** At which the entry was put last; 0 before it was. */
  get revision(): StoreRevision {
    return this.#revision
  }

  /** Takes the entry away. When the store does not answer the lease does so later. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#renewing
    const leaseId = this.#leaseId
    this.#leaseId = undefined
    if (leaseId === undefined) return
    await this.#options.store.revokeLease(leaseId).catch((error: unknown) => {
      if (!isAppError(error)) throw error
    })
  }

  async #put(): Promise<void> {
    const { store, key, value, leaseMs } = this.#options
    const { leaseId } = await store.grantLease(leaseMs)
    this.#leaseId = leaseId
    const put = { kind: 'put', key, value, leaseId } as const
    this.#revision = (await store.transact({ compares: [], mutations: [put] })).storeRevision
  }

  async #renewForever(): Promise<void> {
    const { signal } = this.#stopping
    const { clock, leaseMs } = this.#options
    for (;;) {
      await clock.sleep(leaseMs / RENEWALS_PER_LEASE, signal).catch(() => undefined)
      if (signal.aborted) return
      await this.#renewOnce()
    }
  }

  async #renewOnce(): Promise<void> {
    try {
      await this.#renew()
    } catch (error) {
      // The store's own failures pass, and the next turn tries again; anything else is a defect.
      if (!isAppError(error)) throw error
    }
  }

  async #renew(): Promise<void> {
    try {
      if (this.#leaseId !== undefined) return await this.#options.store.keepLeaseAlive(this.#leaseId)
    } catch (error) {
      if (!isAppError(error, 'STORE_LEASE_NOT_FOUND')) throw error
      this.#leaseId = undefined
    }
    await this.#put()
  }
}
