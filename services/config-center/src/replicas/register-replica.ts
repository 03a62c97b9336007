import { randomBytes } from 'node:crypto'
import type { Clock } from '@tributary/kit'
import { LeasedEntry, type RevisionedStore } from '@tributary/store'
import { REPLICA_SECRET_KEY, replicaKey } from '../domain/keys.js'

/** How long a replica that has died counts as one, at least. Milliseconds. */
const LEASE_MS = 10_000
const SECRET_BYTES = 32

/** Who registers, and where the others reach it. */
export interface RegistrationOptions {
  readonly store: RevisionedStore
  readonly clock: Clock
  readonly replicaId: string
  readonly url: string
}

/**
 * Registers a replica until the entry that it resolves to is stopped, or the replica has died.
 * @throws AppError as the store does.
 */
export async function registerReplica({ store, clock, replicaId, url }: RegistrationOptions): Promise<LeasedEntry> {
  await ensureSecret(store)
  return LeasedEntry.start({ store, clock, key: replicaKey(replicaId), value: url, leaseMs: LEASE_MS })
}

/** The first replica of a store makes the secret; all others read it. */
async function ensureSecret(store: RevisionedStore): Promise<void> {
  const absent = { select: { key: REPLICA_SECRET_KEY }, target: 'version', op: '=', value: 0n } as const
  const value = randomBytes(SECRET_BYTES).toString('base64url')
  await store.transact({ compares: [absent], mutations: [{ kind: 'put', key: REPLICA_SECRET_KEY, value }] })
}
