import { INTEGRATION_TENANT } from '@tributary/contract'
import type { Clock } from '@tributary/kit'
import type { RevisionedStore } from '@tributary/store'
import type { EnvironmentRecord } from '../domain/environment-record.js'
import { ownMember } from '../domain/own-member.js'
import { fallsAsleepAt } from '../domain/sleep.js'
import { failure } from '../errors.js'
import { changeable } from './change-environment.js'
import { sleepAfterMsOf, type EnvironmentDependencies } from './dependencies.js'
import { mapServices } from './deploy/end-deploy.js'
import { getEnvironment, listEnvironments, updateEnvironment } from './state/environments.js'

type SleepDependencies = { readonly store: RevisionedStore; readonly clock: Pick<Clock, 'now'> }

/**
 * Wants the services of an environment stopped. Asking again changes nothing.
 * @throws AppError `ENVIRONMENT_NOT_FOUND`, `ENVIRONMENT_TERMINATING`, `ENVIRONMENT_PERMANENT`
 */
export async function requestSleep(
  { store, clock }: SleepDependencies,
  name: string,
  reason: 'requested' | 'idle' = 'requested',
): Promise<EnvironmentRecord> {
  if (name === INTEGRATION_TENANT) {
    throw failure(
      'ENVIRONMENT_PERMANENT',
      'Putting integration to sleep: every other environment falls back to it; it stays awake',
    )
  }
  await changeable(store, name)
  const since = clock.now()
  const updated = await updateEnvironment(store, name, (current) =>
    current.asleep || current.tombstone !== null ? current : { ...current, asleep: { since, reason } },
  )
  return updated ?? getEnvironment(store, name)
}

/** Wants the services of an environment to run. One that is awake stays as it is. */
export async function requestWake({ store, clock }: SleepDependencies, name: string): Promise<EnvironmentRecord> {
  await changeable(store, name)
  const updated = await updateEnvironment(store, name, (current) =>
    current.asleep ? awake(current, clock.now()) : current,
  )
  return updated ?? getEnvironment(store, name)
}

/** The record of an environment that is woken now. */
export function awake(record: EnvironmentRecord, now: number): EnvironmentRecord {
  return { ...record, asleep: null, wokenAt: now, settledFor: null }
}

/**
 * Wants a service, or every own one, stopped and started again at the commit that it runs. A sleeping environment is woken, which is the same.
 * @throws AppError `ENVIRONMENT_NOT_FOUND`, `ENVIRONMENT_TERMINATING`, `SERVICE_NOT_FOUND`
 */
export async function requestRedeploy(
  { store, clock }: SleepDependencies,
  { environment, service }: { readonly environment: string; readonly service?: string | undefined },
): Promise<EnvironmentRecord> {
  const record = await changeable(store, environment)
  if (service !== undefined && ownMember(record.services, service) === undefined) {
    const own = Object.keys(record.services).join(', ') || 'none'
    throw failure(
      'SERVICE_NOT_FOUND',
      `Restarting ${service} of ${environment}: it deploys no such service (own: ${own})`,
    )
  }
  if (record.asleep) return requestWake({ store, clock }, environment)
  const updated = await updateEnvironment(store, environment, (current) => ({
    ...mapServices(current, (one) =>
      (service === undefined || one.name === service) && one.deployed !== null
        ? { ...one, restartRequested: true }
        : one,
    ),
    settledFor: null,
  }))
  return updated ?? getEnvironment(store, environment)
}

/** Puts to sleep what nobody has used for long enough; resolves to their names. */
export async function sleepIdleEnvironments(deps: EnvironmentDependencies): Promise<readonly string[]> {
  const sleepAfterMs = sleepAfterMsOf(deps)
  const idle = (await listEnvironments(deps.store)).filter((record) => {
    const lastRequestAt = deps.activity?.lastRequestAt(record.name) ?? null
    const at = fallsAsleepAt(record, { sleepAfterMs, lastRequestAt })
    return at !== null && at <= deps.clock.now() && record.currentRunId === null
  })
  for (const { name } of idle) await requestSleep(deps, name, 'idle')
  return idle.map(({ name }) => name)
}
