import { randomBytes } from 'node:crypto'
import { isAppError, type Clock } from '@tributary/kit'
import type { RevisionedStore, StoreRevision } from '@tributary/store'
import { REPLICA_SECRET_KEY, replicaKey } from '../domain/keys.js'

/** How long a replica that has died counts as one, at least. Milliseconds. */
const LEASE_MS = 10_000
/** Renewals in the time of a lease: two may fail. */
const RENEWALS_PER_LEASE = 3
const SECRET_BYTES = 32

/** Who registers, and where the others reach it. */
export interface RegistrationOptions {
  readonly store: RevisionedStore
  readonly clock: Clock
  readonly replicaId: string
  readonly url: string
}

/** This replica's entry in the store, which ends with its lease. */
export class ReplicaRegistration {
  readonly #options: RegistrationOptions
  readonly #stopping = new AbortController()
  #leaseId: string | undefined
  #renewing: Promise<void> = Promise.resolve()
  readonly revision: Promise<StoreRevision>

  private constructor(options: RegistrationOptions) {
    this.#options = options
    this.revision = this.#register()
  }

  /**
   * Registers, and renews the entry until {@link stop}. Resolves when it is in the store.
   * @throws AppError as the store does.
   */
  static async start(options: RegistrationOptions): Promise<ReplicaRegistration> {
    await ensureSecret(options.store)
    const registration = new ReplicaRegistration(options)
    await registration.revision
    registration.#renewing = registration.#renewForever()
    return registration
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

  async #register(): Promise<StoreRevision> {
    const { store, replicaId, url } = this.#options
    const { leaseId } = await store.grantLease(LEASE_MS)
    this.#leaseId = leaseId
    const put = { kind: 'put', key: replicaKey(replicaId), value: url, leaseId } as const
    return (await store.transact({ compares: [], mutations: [put] })).storeRevision
  }

  async #renewForever(): Promise<void> {
    const { signal } = this.#stopping
    for (;;) {
      await this.#options.clock.sleep(LEASE_MS / RENEWALS_PER_LEASE, signal).catch(() => undefined)
      if (signal.aborted) return
      try {
        await this.#renew()
      } catch (error) {
        // The store's own failures pass, and the next turn tries again; anything else is a defect.
        if (!isAppError(error)) throw error
      }
    }
  }

  async #renew(): Promise<void> {
    try {
      if (this.#leaseId !== undefined) return await this.#options.store.keepLeaseAlive(this.#leaseId)
    } catch (error) {
      if (!isAppError(error, 'STORE_LEASE_NOT_FOUND')) throw error
      this.#leaseId = undefined
    }
    await this.#register()
  }
}

/** The first replica of a store makes the secret; all others read it. */
async function ensureSecret(store: RevisionedStore): Promise<void> {
  const absent = { select: { key: REPLICA_SECRET_KEY }, target: 'version', op: '=', value: 0n } as const
  const value = randomBytes(SECRET_BYTES).toString('base64url')
  await store.transact({ compares: [absent], mutations: [{ kind: 'put', key: REPLICA_SECRET_KEY, value }] })
}
