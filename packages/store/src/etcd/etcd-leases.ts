import { once } from 'node:events'
import type { ILeaseKeepAliveResponse } from 'etcd3'
import { MAX_TRANSACTION_OPERATIONS } from '../check-request.js'
import { storeError } from '../errors.js'
import type { StoreLease } from '../revisioned-store.js'
import { endStream, type EtcdConnection } from './etcd-connection.js'
import { toStoreError } from './etcd-errors.js'
import { etcdLeaseId, leaseNotFound } from './etcd-lease-id.js'
import { ETCD } from './etcd-methods.js'
import { deleteLeaseKeys, touchHead } from './etcd-transaction.js'
import type { KeySpace } from './key-space.js'

/** What leases work on. */
export interface LeaseContext {
  readonly connection: EtcdConnection
  readonly keys: KeySpace
  readonly callTimeoutMs: number
}

/** Grants a lease. etcd counts whole seconds and has a shortest time of its own: it may live longer than was asked for. */
export async function grantLease({ connection }: LeaseContext, ttlMs: number): Promise<StoreLease> {
  const request = { TTL: String(Math.ceil(ttlMs / 1_000)) }
  const answer = await connection.unary(ETCD.leaseGrant, request, { attempt: 'grant a lease', repeatable: false })
  return { leaseId: answer.ID, ttlMs: Number(answer.TTL) * 1_000 }
}

/**
 * Restarts the lease's time to live with one request. etcd3's own keep-alive is not used: it judges by the wall clock, and tells
 * of a lost lease only after twice its time.
 */
export async function keepLeaseAlive({ connection, callTimeoutMs }: LeaseContext, leaseId: string): Promise<void> {
  const stream = await connection.stream(ETCD.leaseKeepAlive, { deadline: Date.now() + callTimeoutMs })
  try {
    stream.write({ ID: etcdLeaseId(leaseId) })
    // `end` without an answer must not be waited for forever: `once` also rejects on `error`, which a deadline is.
    const [answer] = (await Promise.race([once(stream, 'data'), endOf(stream)])) as [
      ILeaseKeepAliveResponse | undefined,
    ]
    if (answer === undefined)
      throw storeError('STORE_UNAVAILABLE', `could not keep lease ${leaseId} alive: etcd hung up`)
    if (answer.TTL === '0') throw leaseNotFound(leaseId)
  } catch (error) {
    if (connection.closing.aborted)
      throw storeError('STORE_CLOSED', 'could not keep a lease alive: the store was closed')
    throw toStoreError(error, `keep lease ${leaseId} alive`)
  } finally {
    endStream(stream)
  }
}

/**
 * Ends the lease. Its keys go first, in a transaction like any other, so that the head knows of it; etcd's own revocation is left
 * to end a lease without keys, or one with more keys than a transaction can delete.
 */
export async function revokeLease({ connection, keys }: LeaseContext, leaseId: string): Promise<void> {
  const attempt = `revoke lease ${leaseId}`
  const ID = etcdLeaseId(leaseId)
  const repeatable = false
  const lease = await connection.unary(ETCD.leaseTimeToLive, { ID, keys: true }, { attempt, repeatable: true })
  if (lease.TTL === '-1') return
  const fits = lease.keys.length < MAX_TRANSACTION_OPERATIONS
  const deleted =
    lease.keys.length > 0 &&
    fits &&
    (await connection.unary(ETCD.txn, deleteLeaseKeys(keys, ID, lease.keys), { attempt, repeatable })).succeeded
  try {
    await connection.unary(ETCD.leaseRevoke, { ID }, { attempt, repeatable })
  } finally {
    if (lease.keys.length > 0 && !deleted) await connection.unary(ETCD.txn, touchHead(keys), { attempt, repeatable })
  }
}

async function endOf(stream: NodeJS.EventEmitter): Promise<[undefined]> {
  await once(stream, 'end')
  return [undefined]
}
