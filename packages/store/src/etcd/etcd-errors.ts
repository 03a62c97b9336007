import { status } from '@grpc/grpc-js'
import { AppError } from '@tributary/kit'
import { storeError, type StoreErrorCode } from '../errors.js'

/** A failed gRPC call: its status and etcd's own sentence. */
interface EtcdFailure {
  readonly code: number
  readonly details: string
}

const ACCESS_ADVICE = 'check the user, the password and the role that etcd grants on the prefix'
const RETRY_ADVICE = 'the call can be repeated; the outcome of a write is unknown'

/**
 * etcd's sentence -> our code and what to do. etcd gives several failures one status (11 is compacted and future, 8 is full and
 * overloaded), so its sentences are the only key; its own Go client tells them apart in the same way (rpctypes/error.go).
 */
const FAILURES: Readonly<Record<string, readonly [StoreErrorCode, string]>> = {
  'etcdserver: mvcc: required revision has been compacted': [
    'STORE_COMPACTED',
    'the revision is older than the retained history; range again and go on from there',
  ],
  'etcdserver: mvcc: required revision is a future revision': [
    'STORE_FUTURE_REVISION',
    'the revision has not been reached',
  ],
  'etcdserver: requested lease not found': ['STORE_LEASE_NOT_FOUND', 'the lease has ended; grant a new one'],
  'etcdserver: mvcc: database space exceeded': [
    'STORE_FULL',
    'its quota is used up; compact, defragment and disarm the alarm',
  ],
  'etcdserver: request is too large': ['STORE_TOO_LARGE', 'the transaction is over its request limit; split it'],
  'etcdserver: too many operations in txn request': [
    'STORE_TOO_LARGE',
    'the transaction is over its operation limit; split it',
  ],
  'etcdserver: corrupt cluster': ['STORE_CORRUPT', 'its members disagree; restore the cluster'],
  'etcdserver: authentication failed, invalid user ID or password': ['STORE_ACCESS_DENIED', ACCESS_ADVICE],
  'etcdserver: user name is empty': ['STORE_ACCESS_DENIED', ACCESS_ADVICE],
  'etcdserver: permission denied': ['STORE_ACCESS_DENIED', ACCESS_ADVICE],
  'etcdserver: invalid auth token': ['STORE_ACCESS_DENIED', ACCESS_ADVICE],
  'etcdserver: revision of auth store is old': ['STORE_ACCESS_DENIED', ACCESS_ADVICE],
}

/** Statuses with which a member, or the way to it, fails: another member or a new connection may do better. */
const ENDPOINT_FAILURES: ReadonlySet<number> = new Set([
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.CANCELLED,
  status.INTERNAL,
  status.UNKNOWN,
  status.ABORTED,
])

const ACCESS_FAILURES: ReadonlySet<number> = new Set([status.PERMISSION_DENIED, status.UNAUTHENTICATED])

const STALE_TOKEN = new Set(['etcdserver: invalid auth token', 'etcdserver: revision of auth store is old'])

/** Maps whatever a call to etcd failed with. An AppError passes unchanged; what is no gRPC failure is a defect and is thrown as it is. */
export function toStoreError(error: unknown, attempt: string): AppError {
  if (error instanceof AppError) return error
  const failure = failureOf(error)
  if (failure === undefined) throw error
  const [code, advice] = FAILURES[failure.details] ?? unknownFailure(failure)
  return storeError(code, `could not ${attempt}: ${advice} (etcd: ${reasonOf(failure)})`, { cause: error })
}

/** The error for a watch that etcd canceled with `reason`. */
export function canceledWatchError(reason: string): AppError {
  // The reason is a bare sentence, or one in a gRPC frame: `rpc error: code = PermissionDenied desc = etcdserver: permission denied`.
  const sentence = reason.replace(/^rpc error: code = \w+ desc = /, '')
  const [code, advice] = FAILURES[sentence] ?? (['STORE_UNAVAILABLE', RETRY_ADVICE] as const)
  return storeError(code, `could not watch: ${advice} (etcd: ${sentence === '' ? 'no reason given' : sentence})`)
}

/** True when the member did not do its part: the connection to it is made anew, and another one is asked next. */
export function isEndpointFailure(error: unknown): boolean {
  const failure = failureOf(error)
  return failure !== undefined && ENDPOINT_FAILURES.has(failure.code)
}

/** True when the call ran out of time. */
export function isDeadline(error: unknown): boolean {
  return failureOf(error)?.code === status.DEADLINE_EXCEEDED
}

/** True when etcd wants a new token: the old one has expired, or the users have changed. The call was not executed. */
export function isStaleToken(error: unknown): boolean {
  return STALE_TOKEN.has(failureOf(error)?.details ?? '')
}

/** True when etcd does not know users at all: a configured password is then not needed. */
export function isAuthenticationDisabled(error: unknown): boolean {
  return failureOf(error)?.details === 'etcdserver: authentication is not enabled'
}

function unknownFailure({ code }: EtcdFailure): readonly [StoreErrorCode, string] {
  if (ACCESS_FAILURES.has(code)) return ['STORE_ACCESS_DENIED', ACCESS_ADVICE]
  return ['STORE_UNAVAILABLE', RETRY_ADVICE]
}

function reasonOf({ code, details }: EtcdFailure): string {
  return details === '' ? (status[code] ?? `status ${code}`) : details
}

function failureOf(error: unknown): EtcdFailure | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'number') return undefined
  return { code: error.code, details: 'details' in error && typeof error.details === 'string' ? error.details : '' }
}
