import { INTEGRATION_TENANT, type Plan } from '@tributary/contract'
import { isAppError } from '@tributary/kit'
import { replaceConditions, setCondition, type ConditionFinding } from '../domain/conditions.js'
import type { DesiredService } from '../domain/desired-services.js'
import { wantService, type EnvironmentRecord, type ServiceRecord } from '../domain/environment-record.js'
import { plan, type DesiredEnvironment } from '../domain/plan.js'
import { messageOf, type EnvironmentDependencies } from '../operations/dependencies.js'
import { definitionAt } from '../operations/definition-at.js'
import { deployEnvironment, type ServiceFailure } from '../operations/deploy/deploy-environment.js'
import { observeEnvironment, unlessNotFound, type Observation } from '../operations/observe-environment.js'
import {
  placeEnvironment,
  resolveEnvironment,
  settlementOf,
  type ResolvedEnvironment,
} from '../operations/resolve-environment.js'
import { findEnvironment, updateEnvironment } from '../operations/state/environments.js'
import { teardownEnvironment } from '../operations/teardown/teardown-environment.js'
import type { WorkloadStatus } from '../ports/platform.js'
import type { CurrentRuns } from './current-runs.js'
import type { ReconcileResult } from './keyed-loop.js'

/** How soon a base that is not there yet is looked for again, if nobody says so before. */
const BASE_POLL_MS = 1000

/** What the reconciler needs besides the operations' dependencies. */
export interface ReconcilerHooks {
  readonly runs: CurrentRuns
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
    if (record.tombstone !== null) return this.#tearDown(record)
    try {
      return await this.#converge(record)
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
    const resolved = await resolveEnvironment(this.deps, record, this.hooks.runs.stopping)
    const waitingFor = await this.#waitingFor(resolved, observation)
    return plan(desiredOf(record, resolved, waitingFor), observation.observed)
  }

  async #tearDown(record: EnvironmentRecord): Promise<ReconcileResult> {
    await teardownEnvironment(this.deps, record, this.hooks.runs.stopping)
    await this.hooks.onGone(record.name)
    return {}
  }

  async #converge(record: EnvironmentRecord): Promise<ReconcileResult> {
    const observation = await observeEnvironment(this.deps, record)
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
    if (actions.length > 0) return this.#deploy(wanted, { resolved, actions })
    await this.#settle(wanted, { resolved, workloads: observation.workloads })
    return {}
  }

  /** Nothing that the desired state is computed from has moved, and everything serves: git need not be asked. */
  async #isSettled(record: EnvironmentRecord, { observed }: Observation): Promise<boolean> {
    if (record.settledFor === null || observed.state !== 'established') return false
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
      return [await definitionAt(this.deps, { service: recorded, commitSha }, this.hooks.runs.stopping)]
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
      const services = wantedServices(current, resolved)
      const next = { ...current, declaredBase: resolved.declaredBase, settledFor: null, services }
      const conditions = definitionConditions(current, resolved, context)
      const wanted = { ...next, conditions: [...conditions] }
      return JSON.stringify(wanted) === JSON.stringify(current) ? current : wanted
    })
  }

  async #settle(
    record: EnvironmentRecord,
    given: { readonly resolved: ResolvedEnvironment; readonly workloads: readonly WorkloadStatus[] },
  ): Promise<void> {
    const whole =
      given.resolved.desired.invalid.length === 0 && Object.values(record.services).every((one) => one.failure === null)
    const settledFor = whole ? settlementOf(record, given.resolved) : null
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

function desiredOf(
  record: EnvironmentRecord,
  resolved: ResolvedEnvironment,
  waitingFor: string | null,
): DesiredEnvironment {
  const { services, kept, masked } = resolved.desired
  return {
    name: record.name,
    branch: record.branch,
    presence: record.tombstone === null ? { state: 'present' } : { state: 'absent', reason: record.tombstone.reason },
    base: resolved.base,
    waitingFor,
    services: services.map(({ service, commitSha }) => ({ service, commitSha })),
    kept,
    masked: masked === 'unknown' ? record.masked : masked,
  }
}

function triggerOf(record: EnvironmentRecord, actions: Plan['actions']): string {
  const kinds = new Set(actions.map(({ action }) => action))
  if (kinds.has('create-environment')) return 'created'
  if (kinds.has('set-base')) return 'base-moved'
  const services = Object.values(record.services)
  if (services.some((service) => service.failure !== null)) return 'retry'
  if (services.some((service) => service.rolledBack !== null)) return 'rollback'
  return kinds.has('deploy-service') || kinds.has('remove-service')
    ? 'push'
    : kinds.has('restart-service')
      ? 'health'
      : 'push'
}

/** Own services as they are wanted; those that are neither wanted nor kept stay until the deploy has removed them. */
function wantedServices(
  record: EnvironmentRecord,
  { desired }: ResolvedEnvironment,
): Readonly<Record<string, ServiceRecord>> {
  const services: Record<string, ServiceRecord> = { ...record.services }
  for (const { service, repository, commitSha, defined } of desired.services) {
    const { directory, definition } = defined
    services[service] = wantService(services[service], {
      name: service,
      repository,
      directory,
      wantedCommit: commitSha,
      definition,
    })
  }
  for (const { service, repository, message } of desired.invalid) {
    if (service === undefined || desired.services.some((one) => one.service === service)) continue
    const wantedCommit = record.heads[repository] ?? ''
    const definition = { apiVersion: 'tributary/v1', kind: 'Service', name: service } as const
    const before =
      services[service] ??
      wantService(undefined, { name: service, repository, directory: '', wantedCommit, definition })
    services[service] = { ...before, wantedCommit, invalid: message }
  }
  return dropForgotten(services, desired)
}

/** A service that never ran and is wanted no longer leaves nothing to remove. */
function dropForgotten(
  services: Readonly<Record<string, ServiceRecord>>,
  desired: ResolvedEnvironment['desired'],
): Readonly<Record<string, ServiceRecord>> {
  const wanted = new Set([
    ...desired.services.map(({ service }) => service),
    ...desired.invalid.map(({ service }) => service),
    ...desired.kept,
  ])
  return Object.fromEntries(
    Object.entries(services)
      .filter(([name, service]) => wanted.has(name) || service.deployed !== null)
      .map(([name, service]) => [name, service]),
  )
}

function definitionConditions(
  record: EnvironmentRecord,
  { desired, problem }: ResolvedEnvironment,
  context: { readonly now: number; readonly generation: number },
) {
  const invalid = desired.invalid.map(({ service, message }) => ({
    ...(service === undefined ? {} : { service }),
    status: 'False' as const,
    reason: 'DefinitionInvalid',
    message,
  }))
  const problems = [...desired.problems, ...(problem === null ? [] : [problem.message])]
  const environment =
    problems.length === 0
      ? { status: 'True' as const, reason: 'Valid', message: 'the branch’s files can be used' }
      : {
          status: 'False' as const,
          reason: problem?.reason ?? 'EnvironmentDefinitionInvalid',
          message: problems.join('\n'),
        }
  const nameless = invalid.filter((finding) => !('service' in finding))
  const joined =
    nameless.length === 0 ? [] : [{ ...nameless[0]!, message: nameless.map(({ message }) => message).join('\n') }]
  const findings = [...invalid.filter((finding) => 'service' in finding), ...joined]
  const conditions = replaceConditions(record.conditions, { type: 'DefinitionValid', findings }, context)
  return setCondition(conditions, { type: 'EnvironmentDefinitionValid', ...environment }, context)
}

function withHealth(service: ServiceRecord, workloads: readonly WorkloadStatus[]): ServiceRecord {
  if (service.deployed === null) return service
  const copy = workloads.find(({ workloadId }) => workloadId === service.deployed?.workloadId)
  if (copy === undefined) return { ...service, health: 'unhealthy', healthMessage: 'its process is gone' }
  const health = copy.health === 'stopped' ? 'unhealthy' : copy.health
  return { ...service, health, healthMessage: copy.message }
}

function healthConditions(record: EnvironmentRecord, context: { readonly now: number; readonly generation: number }) {
  const findings = Object.values(record.services).map((service) => ({
    service: service.name,
    ...healthFinding(service),
  }))
  const wrong = findings.filter((finding) => finding.status !== 'True')
  const ready =
    wrong.length === 0
      ? { status: 'True' as const, reason: 'Ready', message: 'every own service serves the wanted commit' }
      : {
          status: 'False' as const,
          reason: 'ServicesNotReady',
          message: wrong.map((one) => `${one.service}: ${one.message}`).join('\n'),
        }
  const withServices = replaceConditions(record.conditions, { type: 'ServiceHealthy', findings }, context)
  const withReady = setCondition(withServices, { type: 'Ready', ...ready }, context)
  return setCondition(
    withReady,
    { type: 'Reconciled', status: 'True', reason: 'Converged', message: 'nothing to do' },
    context,
  )
}

function healthFinding(service: ServiceRecord): Omit<ConditionFinding, 'type' | 'service'> {
  const { invalid, failure, deployed, health, healthMessage } = service
  if (invalid !== null) return { status: 'False', reason: 'DefinitionInvalid', message: invalid }
  if (failure !== null)
    return { status: 'False', reason: failure.final ? 'GaveUp' : 'DeployFailed', message: failure.message }
  if (deployed === null) return { status: 'Unknown', reason: 'NotDeployed', message: 'no copy runs yet' }
  if (health === 'healthy') return { status: 'True', reason: 'Healthy', message: `${deployed.version} serves` }
  return { status: 'False', reason: 'Unhealthy', message: healthMessage ?? 'its copy is not healthy' }
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

/** True for the environment that all others fall back to. */
export function isIntegration(record: Pick<EnvironmentRecord, 'name'>): boolean {
  return record.name === INTEGRATION_TENANT
}
