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
import { listEnvironments, updateEnvironment } from './state/environments.js'

type SleepDependencies = { readonly store: RevisionedStore; readonly clock: Pick<Clock, 'now'> }

/**
 * Wants the services of an environment stopped. False: that was wanted already, and nothing is changed.
 * @throws AppError `ENVIRONMENT_NOT_FOUND`, `ENVIRONMENT_TERMINATING`, `ENVIRONMENT_PERMANENT`
 */
export async function requestSleep(
  { store, clock }: SleepDependencies,
  name: string,
  reason: 'requested' | 'idle' = 'requested',
): Promise<boolean> {
  if (name === INTEGRATION_TENANT) {
    throw failure(
      'ENVIRONMENT_PERMANENT',
      'Putting integration to sleep: every other environment falls back to it; it stays awake',
    )
  }
  await changeable(store, name)
  const since = clock.now()
  return changeIf(store, name, {
    when: (current) => !current.asleep && current.tombstone === null,
    change: (current) => ({ ...current, asleep: { since, reason } }),
  })
}

/** Wants the services of an environment to run. False: it is awake, and nothing is changed. */
export async function requestWake({ store, clock }: SleepDependencies, name: string): Promise<boolean> {
  await changeable(store, name)
  return changeIf(store, name, {
    when: (current) => Boolean(current.asleep),
    change: (current) => awake(current, clock.now()),
  })
}

interface ConditionalChange {
  readonly when: (current: EnvironmentRecord) => boolean
  readonly change: (current: EnvironmentRecord) => EnvironmentRecord
}

async function changeIf(store: RevisionedStore, name: string, { when, change }: ConditionalChange): Promise<boolean> {
  let changed = false
  const record = await updateEnvironment(store, name, (current) => {
    // Each attempt looks anew: somebody else may have been faster.
    changed = when(current)
    return changed ? change(current) : current
  })
  return record !== undefined && changed
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
): Promise<void> {
  const record = await changeable(store, environment)
  if (service !== undefined && ownMember(record.services, service) === undefined) {
    const own = Object.keys(record.services).join(', ') || 'none'
    throw failure(
      'SERVICE_NOT_FOUND',
      `Restarting ${service} of ${environment}: it deploys no such service (own: ${own})`,
    )
  }
  if (record.asleep) {
    await requestWake({ store, clock }, environment)
    return
  }
  await updateEnvironment(store, environment, (current) => ({
    ...mapServices(current, (one) =>
      (service === undefined || one.name === service) && one.deployed !== null
        ? { ...one, restartRequested: true }
        : one,
    ),
    settledFor: null,
  }))
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
