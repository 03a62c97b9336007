import type { Plan } from '@tributary/contract'
import { isAppError } from '@tributary/kit'
import { setCondition, type ConditionFinding } from '../domain/conditions.js'
import { builtImageOf, type DesiredService } from '../domain/desired-services.js'
import { definitionConditions, healthConditions } from '../domain/environment-conditions.js'
import type { EnvironmentRecord, ServiceRecord } from '../domain/environment-record.js'
import { plan, type DesiredEnvironment } from '../domain/plan.js'
import { triggerOf } from '../domain/run-trigger.js'
import { wantedServices } from '../domain/wanted-services.js'
import { messageOf, type EnvironmentDependencies } from '../operations/dependencies.js'
import { definitionAt } from '../operations/definition-at.js'
import { deployEnvironment } from '../operations/deploy/deploy-environment.js'
import type { ServiceFailure } from '../operations/deploy/end-deploy.js'
import { putToSleep } from '../operations/put-to-sleep.js'
import { observeEnvironment, unlessNotFound, type Observation } from '../operations/observe-environment.js'
import {
  placeEnvironment,
  resolveEnvironment,
  settlementOf,
  type ResolvedEnvironment,
} from '../operations/resolve-environment.js'
import { findEnvironment, updateEnvironment } from '../operations/state/environments.js'
import { teardownEnvironment } from '../operations/teardown/teardown-environment.js'
import type { Aside, WorkloadStatus } from '../ports/platform.js'
import type { CurrentRuns } from './current-runs.js'
import type { ReconcileResult } from './keyed-loop.js'

/** How soon a base that is not there yet is looked for again, if nobody says so before. */
const BASE_POLL_MS = 1000

/** What the reconciler needs besides the operations' dependencies. */
export interface ReconcilerHooks {
  readonly runs: CurrentRuns
  /** For what waits on the cluster: one environment that takes its time keeps no other from its turn. */
  readonly aside: Aside
  /** Looks at git again when what is known is old; false when the branch is no longer there at the recorded commits. */
  readonly branchIsCurrent: (record: EnvironmentRecord) => Promise<boolean>
  /** Something happened that other environments look at: this one was established, or it is gone. */
  readonly onEstablished: (environment: string) => Promise<void>
  readonly onGone: (environment: string) => Promise<void>
}

/** Brings one environment from what it is to what it should be: reads, plans, acts. Knows nothing of events. */
export class EnvironmentReconciler {
  constructor(
    private readonly deps: EnvironmentDependencies,
    private readonly hooks: ReconcilerHooks,
  ) {}

  /** One look. Rejects when it should be tried again after a backoff. */
  async reconcile(name: string): Promise<ReconcileResult> {
    const record = await findEnvironment(this.deps.store, name)
    if (record === undefined) return {}
    try {
      return await (record.tombstone === null ? this.#converge(record) : this.#tearDown(record))
    } catch (error) {
      // A newer push took over: that is no failure, there is only something else to do.
      if (isAppError(error, 'RUN_SUPERSEDED')) return { requeueAfterMs: 0 }
      await this.#note(record, reconciledFinding(error))
      throw error
    }
  }

  /** What {@link EnvironmentReconciler.reconcile} would do now, without doing or recording anything. */
  async plan(record: EnvironmentRecord): Promise<Plan> {
    const observation = await observeEnvironment(this.deps, record)
    if (record.asleep && record.tombstone === null) return plan(restingOf(record), observation.observed)
    const resolved = await resolveEnvironment(this.deps, record, this.hooks.runs.stopping)
    const waitingFor = await this.#waitingFor(resolved, observation)
    return plan(desiredOf(record, resolved, waitingFor), observation.observed)
  }

  async #tearDown(record: EnvironmentRecord): Promise<ReconcileResult> {
    const { aside, runs } = this.hooks
    await teardownEnvironment(this.deps, record, { signal: runs.stopping, aside })
    await this.hooks.onGone(record.name)
    return {}
  }

  async #converge(record: EnvironmentRecord): Promise<ReconcileResult> {
    const observation = await observeEnvironment(this.deps, record)
    if (record.asleep) return this.#rest(record, observation)
    if (await this.#isSettled(record, observation)) {
      await this.#noteHealth(record, observation.workloads)
      return {}
    }
    const resolved = await resolveEnvironment(this.deps, record, this.hooks.runs.stopping)
    const wanted = await this.#want(record, resolved)
    if (wanted === undefined || wanted.tombstone !== null) return { requeueAfterMs: 0 }
    const waitingFor = await this.#waitingFor(resolved, observation)
    const { actions } = plan(desiredOf(wanted, resolved, waitingFor), observation.observed)
    if (waitingFor !== null) {
      await this.#note(wanted, { type: 'Reconciled', status: 'False', reason: 'WaitingForBase', message: waitingFor })
      return { requeueAfterMs: BASE_POLL_MS }
    }
    const work = actions.filter(({ action }) => action !== 'wait')
    if (work.length > 0) return this.#deploy(wanted, { resolved, actions: work })
    this.deps.routes.resume?.(wanted.name)
    // Of the record that was resolved: what somebody has asked for since has not been looked at.
    const settlement = settlementOf(record, resolved)
    await this.#settle(wanted, { resolved, settlement, workloads: observation.workloads })
    return {}
  }

  /** A sleeping environment needs neither git nor its base: only that nothing of it runs, and that its address wakes it. */
  async #rest(record: EnvironmentRecord, observation: Observation): Promise<ReconcileResult> {
    const { actions } = plan(restingOf(record), observation.observed)
    const services = actions.flatMap(({ service }) => service ?? [])
    if (record.established) await this.deps.routes.suspend?.(record.name)
    // Until every gateway knew, somebody may have asked for it: then nothing is stopped.
    const current = await findEnvironment(this.deps.store, record.name)
    if ((current?.asleep ?? null) === null) return { requeueAfterMs: 0 }
    if (services.length > 0) {
      await this.hooks.runs.deploy(record.name, (signal) => putToSleep(this.deps, { record, services, signal }))
      return { requeueAfterMs: 0 }
    }
    await this.#noteHealth(record, observation.workloads)
    return {}
  }

  /** Nothing that the desired state is computed from has moved, and everything serves: git need not be asked. */
  async #isSettled(record: EnvironmentRecord, { observed }: Observation): Promise<boolean> {
    if (record.settledFor === null || record.author === undefined || observed.state !== 'established') return false
    if (observed.unfinished === true) return false
    const placement = await placeEnvironment(this.deps, record, record.declaredBase)
    if (settlementOf(record, placement) !== record.settledFor || observed.base !== placement.base) return false
    const strays = observed.services.some((service) => record.services[service.service] === undefined)
    const masks = record.masked.length === observed.masked.length
    return masks && !strays && observed.services.every((service) => service.serving)
  }

  async #deploy(
    record: EnvironmentRecord,
    { resolved, actions }: { readonly resolved: ResolvedEnvironment; readonly actions: Plan['actions'] },
  ): Promise<ReconcileResult> {
    if (!(await this.hooks.branchIsCurrent(record))) return {}
    const services = await this.#servicesToStart(record, { resolved, actions })
    const trigger = triggerOf(record, actions)
    const failures = await this.hooks.runs.deploy(record.name, (signal) =>
      deployEnvironment(this.deps, {
        record,
        base: resolved.base,
        services,
        actions,
        masked: resolved.desired.masked === 'unknown' ? record.masked : resolved.desired.masked,
        trigger,
        signal,
        aside: this.hooks.aside,
      }),
    )
    if (!record.established) await this.hooks.onEstablished(record.name)
    return this.#afterDeploy(record, failures)
  }

  /** Definitions of what is to be deployed or restarted; an older copy is restarted as its own commit defines it. */
  async #servicesToStart(
    record: EnvironmentRecord,
    { resolved, actions }: { readonly resolved: ResolvedEnvironment; readonly actions: Plan['actions'] },
  ): Promise<readonly DesiredService[]> {
    const started = actions.map(async ({ action, service, commitSha }) => {
      if ((action !== 'deploy-service' && action !== 'restart-service') || commitSha === undefined) return []
      const wanted = resolved.desired.services.find((one) => one.service === service)
      if (wanted?.commitSha === commitSha) return [wanted]
      const recorded = service === undefined ? undefined : record.services[service]
      if (recorded === undefined) return []
      return [
        await definitionAt(
          this.deps,
          { environment: record.name, service: recorded, commitSha },
          this.hooks.runs.stopping,
        ),
      ]
    })
    return (await Promise.all(started)).flat()
  }

  /** Services that may yet come up are tried again after a backoff; then the plan decides what is left to do. */
  async #afterDeploy(record: EnvironmentRecord, failures: readonly ServiceFailure[]): Promise<ReconcileResult> {
    const current = await findEnvironment(this.deps.store, record.name)
    const retry = failures.find(({ service }) => current?.services[service.service]?.failure?.final === false)
    if (retry !== undefined) throw retry.error
    return { requeueAfterMs: 0 }
  }

  /** Writes down what is wanted, and what of it cannot be had; the deploy starts from this record. */
  async #want(record: EnvironmentRecord, resolved: ResolvedEnvironment): Promise<EnvironmentRecord | undefined> {
    const context = { now: this.deps.clock.now(), generation: record.generation }
    return updateEnvironment(this.deps.store, record.name, (current) => {
      // Whatever was settled before is not any more: the branch may come back to commits that it left in between.
      const services = wantedServices(current, resolved.desired)
      const { declaredBase, owner: author } = resolved
      const next = { ...current, declaredBase, author, settledFor: null, services }
      const conditions = definitionConditions(current, resolved, context)
      const wanted = { ...next, conditions: [...conditions] }
      return JSON.stringify(wanted) === JSON.stringify(current) ? current : wanted
    })
  }

  async #settle(
    record: EnvironmentRecord,
    given: {
      readonly resolved: ResolvedEnvironment
      readonly settlement: string
      readonly workloads: readonly WorkloadStatus[]
    },
  ): Promise<void> {
    const { invalid, awaiting } = given.resolved.desired
    const whole =
      invalid.length + awaiting.length === 0 && Object.values(record.services).every((one) => one.failure === null)
    const settledFor = whole ? given.settlement : null
    await this.#noteHealth({ ...record, settledFor }, given.workloads)
  }

  /** Health of the copies, `Ready` and `Reconciled`, and whether the next look may skip git. */
  async #noteHealth(record: EnvironmentRecord, workloads: readonly WorkloadStatus[]): Promise<void> {
    const context = { now: this.deps.clock.now(), generation: record.generation }
    await updateEnvironment(this.deps.store, record.name, (current) => {
      const services = Object.fromEntries(
        Object.entries(current.services).map(([name, service]) => [name, withHealth(service, workloads)]),
      )
      const noted = { ...current, services, settledFor: record.settledFor }
      const conditions = healthConditions(noted, context)
      const next = { ...noted, conditions: [...conditions] }
      return JSON.stringify(next) === JSON.stringify(current) ? current : next
    })
  }

  async #note(record: EnvironmentRecord, finding: ConditionFinding): Promise<void> {
    const context = { now: this.deps.clock.now(), generation: record.generation }
    await updateEnvironment(this.deps.store, record.name, (current) => ({
      ...current,
      conditions: [...setCondition(current.conditions, finding, context)],
    }))
  }

  /** A feature environment waits only while there is no tenant to lie over. */
  async #waitingFor({ base }: ResolvedEnvironment, { tenant }: Observation): Promise<string | null> {
    if (base === null || tenant?.base === base) return null
    const found = await unlessNotFound(this.deps.configCenter.getTenant(base))
    return found === undefined ? `the tenant of its base "${base}" is not registered yet` : null
  }
}

/** What a sleeping environment should be: nothing that git or its base say matters until it is woken. */
function restingOf({ name, branch, base, masked }: EnvironmentRecord): DesiredEnvironment {
  const presence = { state: 'present' } as const
  return { name, branch, presence, base, waitingFor: null, asleep: true, services: [], kept: [], masked }
}

function desiredOf(
  record: EnvironmentRecord,
  resolved: ResolvedEnvironment,
  waitingFor: string | null,
): DesiredEnvironment {
  const { services, awaiting, kept, masked } = resolved.desired
  return {
    name: record.name,
    branch: record.branch,
    presence: record.tombstone === null ? { state: 'present' } : { state: 'absent', reason: record.tombstone.reason },
    base: resolved.base,
    waitingFor,
    asleep: false,
    services: services.map((one) => {
      const image = builtImageOf(one)
      return { service: one.service, commitSha: one.commitSha, ...(image === undefined ? {} : { image }) }
    }),
    awaiting: awaiting.map(({ service, commitSha }) => ({ service, commitSha })),
    kept,
    masked: masked === 'unknown' ? record.masked : masked,
  }
}

function reconciledFinding(error: unknown): ConditionFinding {
  const reason = error instanceof Error && 'code' in error ? camelCase(String(error.code)) : 'InternalError'
  return { type: 'Reconciled', status: 'False', reason, message: messageOf(error) }
}

function camelCase(code: string): string {
  return code
    .toLowerCase()
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
}

function withHealth(service: ServiceRecord, workloads: readonly WorkloadStatus[]): ServiceRecord {
  if (service.deployed === null) return service
  const copy = workloads.find(({ workloadId }) => workloadId === service.deployed?.workloadId)
  if (copy === undefined) return { ...service, health: 'unhealthy', healthMessage: 'its copy is gone' }
  const health = copy.health === 'stopped' ? 'unhealthy' : copy.health
  return { ...service, health, healthMessage: copy.message }
}
