import { storeError } from '../errors.js'
import type { Compare, StoreEntry, TransactRequest, TransactResult } from '../revisioned-store.js'
import type { StagedChanges } from './staged-changes.js'

/**
 * Stages the mutations when all compares hold against what is staged so far.
 * @throws AppError `STORE_LEASE_NOT_FOUND`: a put names a lease that has ended; nothing is staged.
 */
export function evaluateTransaction(staged: StagedChanges, request: TransactRequest): TransactResult {
  if (!request.compares.every((compare) => holds(staged, compare))) {
    return { succeeded: false, storeRevision: staged.revision }
  }
  for (const mutation of request.mutations) {
    if (mutation.kind === 'put' && mutation.leaseId !== undefined && !staged.hasLease(mutation.leaseId)) {
      throw leaseNotFound(`put ${JSON.stringify(mutation.key)} under`, mutation.leaseId)
    }
  }
  return { succeeded: true, storeRevision: staged.write(request.mutations) }
}

/** The error for a lease that is not there; `attempt` ends before the word "lease". */
export function leaseNotFound(attempt: string, leaseId: string): Error {
  return storeError('STORE_LEASE_NOT_FOUND', `could not ${attempt} lease ${leaseId}: it has ended; grant a new one`, {
    details: { leaseId },
  })
}

const MISSING: Pick<StoreEntry, Compare['target']> = { modRevision: 0n, createRevision: 0n, version: 0n }

/** A missing key, and a prefix with no key below it, compare as 0 (as in etcd). */
function holds(staged: StagedChanges, compare: Compare): boolean {
  if (holdsForAnyKey(staged, compare)) return true
  let empty = true
  for (const entry of staged.select(compare.select)) {
    if (!compares(entry[compare.target], compare)) return false
    empty = false
  }
  return !empty || compares(MISSING[compare.target], compare)
}

/**
 * "Nothing changed since the current revision" holds without a look at the keys: what a writer asks that read the newest state,
 * and too often to walk a large prefix each time (50,000 keys take 10 ms). A version is never greater than a revision either.
 */
function holdsForAnyKey(staged: StagedChanges, { op, value }: Compare): boolean {
  return op === '<=' && value >= staged.revision
}

function compares(actual: bigint, { op, value }: Compare): boolean {
  switch (op) {
    case '=':
      return actual === value
    case '!=':
      return actual !== value
    case '<':
      return actual < value
    case '<=':
      return actual <= value
    case '>':
      return actual > value
    case '>=':
      return actual >= value
  }
}
