import { storeError } from '../errors.js'

const MAX_LEASE_ID = 2n ** 63n - 1n

/**
 * The lease id as etcd takes it: a positive 64-bit integer in decimal.
 * @throws AppError `STORE_LEASE_NOT_FOUND`: it is none, so etcd can never have granted it.
 */
export function etcdLeaseId(leaseId: string): string {
  if (/^[1-9]\d{0,18}$/.test(leaseId) && BigInt(leaseId) <= MAX_LEASE_ID) return leaseId
  throw leaseNotFound(leaseId)
}

/** The error for a lease that is not there. */
export function leaseNotFound(leaseId: string): Error {
  return storeError('STORE_LEASE_NOT_FOUND', `could not use lease ${leaseId}: it has ended; grant a new one`, {
    details: { leaseId },
  })
}
