import type { EnvironmentPatch } from '@tributary/contract'
import type { RevisionedStore } from '@tributary/store'
import type { EnvironmentRecord } from '../domain/environment-record.js'
import { failure } from '../errors.js'
import { getEnvironment, updateEnvironment } from './state/environments.js'

/** Pins an environment, or lets its time to live run again. @throws AppError `ENVIRONMENT_NOT_FOUND`, `ENVIRONMENT_TERMINATING` */
export async function patchEnvironment(
  store: RevisionedStore,
  name: string,
  patch: EnvironmentPatch,
): Promise<EnvironmentRecord> {
  await changeable(store, name)
  const { pinned } = patch
  const updated = await updateEnvironment(store, name, (current) =>
    pinned === undefined || pinned === current.pinned ? current : { ...current, pinned },
  )
  return updated ?? getEnvironment(store, name)
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
