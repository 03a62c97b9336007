import type { RevisionedStore } from '@tributary/store'
import { INTEGRATION_TENANT } from '@tributary/contract'
import type { EnvironmentRecord } from '../domain/environment-record.js'
import { failure } from '../errors.js'
import { getEnvironment, updateEnvironment } from './state/environments.js'
import { putSuspension } from './state/suspensions.js'

/**
 * Puts a tombstone on an environment because a person asked; it comes back at the next push. Asking again changes nothing.
 * @throws AppError `ENVIRONMENT_NOT_FOUND`, `ENVIRONMENT_PERMANENT`
 */
export async function requestTeardown(store: RevisionedStore, name: string, now: number): Promise<EnvironmentRecord> {
  if (name === INTEGRATION_TENANT) {
    throw failure('ENVIRONMENT_PERMANENT', 'Deleting integration: every other environment falls back to it; it stays')
  }
  const updated = await updateEnvironment(store, name, (current) => {
    if (current.tombstone !== null) return current
    const { branch, heads } = current
    const record = { ...current, tombstone: { reason: 'requested', at: now } }
    return { record, alongside: { mutations: [putSuspension({ branch, heads })] } }
  })
  return updated ?? getEnvironment(store, name)
}
