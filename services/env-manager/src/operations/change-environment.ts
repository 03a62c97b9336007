import { isDeepStrictEqual } from 'node:util'
import type { EnvironmentPatch } from '@tributary/contract'
import type { Clock } from '@tributary/kit'
import type { RevisionedStore } from '@tributary/store'
import type { EnvironmentRecord } from '../domain/environment-record.js'
import { parseOwner, type Owner } from '../domain/owner.js'
import { failure } from '../errors.js'
import { getEnvironment, updateEnvironment } from './state/environments.js'

/** How far ahead an environment can be kept. */
const MAX_KEEP_MS = 366 * 24 * 3_600_000

/**
 * Pins an environment, lets its time to live run again, moves the end of that, or names its owner.
 * @throws AppError `ENVIRONMENT_NOT_FOUND`, `ENVIRONMENT_TERMINATING`, `ARGUMENT_INVALID` (kept for more than a year, or an owner without a name)
 */
export async function patchEnvironment(
  { store, clock }: { readonly store: RevisionedStore; readonly clock: Pick<Clock, 'now'> },
  name: string,
  patch: EnvironmentPatch,
): Promise<EnvironmentRecord> {
  await changeable(store, name)
  const keepUntil = keepUntilOf(patch, clock.now())
  const owner = namedOwnerOf(patch)
  const updated = await updateEnvironment(store, name, (current) => {
    const pinned = patch.pinned ?? current.pinned
    const kept = keepUntil === undefined ? (current.keepUntil ?? null) : keepUntil
    const namedOwner = owner === undefined ? (current.namedOwner ?? null) : owner
    const next = { ...current, pinned, keepUntil: kept, namedOwner }
    return isDeepStrictEqual(next, { keepUntil: null, namedOwner: null, ...current }) ? current : next
  })
  return updated ?? getEnvironment(store, name)
}

/** Undefined: it stays as it is. */
function keepUntilOf({ keepUntil }: EnvironmentPatch, now: number): number | null | undefined {
  if (keepUntil === undefined || keepUntil === null) return keepUntil
  const at = Date.parse(keepUntil)
  if (at <= now + MAX_KEEP_MS) return at
  throw failure('ARGUMENT_INVALID', `Keeping it until ${keepUntil} is more than a year; pin it instead`)
}

/** Undefined: it stays as it is; null: whoever pushes. */
function namedOwnerOf({ owner }: EnvironmentPatch): Owner | null | undefined {
  if (owner === undefined || owner === null) return owner
  const parsed = parseOwner(owner)
  if (parsed !== undefined) return parsed
  throw failure('ARGUMENT_INVALID', 'An owner has a name or an address; send null to have who pushed last again')
}

/** Forgets which commits were given up on, so that the next look tries them again. */
export async function requestRetry(store: RevisionedStore, name: string): Promise<EnvironmentRecord> {
  await changeable(store, name)
  const updated = await updateEnvironment(store, name, (current) => ({
    ...current,
    retryRequests: current.retryRequests + 1,
    services: Object.fromEntries(
      Object.entries(current.services).map(([service, record]) => [service, { ...record, failure: null }]),
    ),
  }))
  return updated ?? getEnvironment(store, name)
}

/** The environment, unless it is on its way out. */
export async function changeable(store: RevisionedStore, name: string): Promise<EnvironmentRecord> {
  const record = await getEnvironment(store, name)
  if (record.tombstone === null) return record
  throw failure(
    'ENVIRONMENT_TERMINATING',
    `Changing ${name}: it is being torn down (${record.tombstone.reason}); push to the branch to get a new one`,
  )
}
