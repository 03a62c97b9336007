import type { PlanAction } from '@tributary/contract'
import type { AppError } from '@tributary/kit'
import type { DesiredService } from '../../domain/desired-services.js'
import type { EnvironmentRecord } from '../../domain/environment-record.js'
import { failure } from '../../errors.js'
import type { Aside } from '../../ports/platform.js'
import { messageOf, type EnvironmentDependencies } from '../dependencies.js'
import { drain } from '../drain.js'
import { leadCalls } from '../lead-calls.js'
import { pruneLedger } from '../ledger-verification.js'
import { RunRecorder } from '../run-recorder.js'
import { getEnvironment, updateEnvironment } from '../state/environments.js'
import { secretValuesOf } from '../state/secret-vault.js'
import { platformContext, recordThing, type FreshCopy, type RunContext } from './deploy-context.js'
import { publishCopies } from './publish-copies.js'
import { registerTenant } from './register-tenant.js'
import { abandonDeploy, finishDeploy, mapServices, type ServiceFailure } from './end-deploy.js'
import { rollOutService, type RollOutInputs } from './roll-out-service.js'
import { revertCopies } from './revert-copies.js'
import { stopServices } from './stop-services.js'
import { deploySteps } from './deploy-steps.js'
import { verifyService } from './verify-service.js'

/** What a deploy run is to do. */
export interface DeployRequest {
  readonly record: EnvironmentRecord
  readonly base: string | null
  /** Services to start (deploy or restart), with their definitions. */
  readonly services: readonly DesiredService[]
  readonly actions: readonly PlanAction[]
  readonly masked: readonly string[]
  readonly trigger: string
  /** Aborts when the run is superseded or the manager stops. */
  readonly signal: AbortSignal
  readonly aside: Aside
}

/**
 * One deploy run (SPEC 5.3). Services are started side by side, and one that fails leaves the others alone; those that are
 * healthy are registered in one transaction; old copies go last. Throws what ended the run as a whole; failures of single
 * services are recorded and returned.
 */
export async function deployEnvironment(
  deps: EnvironmentDependencies,
  request: DeployRequest,
): Promise<readonly ServiceFailure[]> {
  const secrets = new Set(await secretValuesOf(deps.store, request.record.name))
  const run = await RunRecorder.begin(deps, request.record, {
    kind: 'deploy',
    trigger: request.trigger,
    commits: Object.entries(request.record.heads).map(([repository, commitSha]) => ({ repository, commitSha })),
    steps: deploySteps(request.services),
    secrets: () => [...secrets],
    change: (record) => markDeploying(record, request.services),
  })
  const { record, signal, aside } = request
  const context: RunContext = { deps, run, record, signal, aside, secrets }
  try {
    const failures = await deploy(context, request)
    await finishDeploy(context, failures)
    return failures
  } catch (error) {
    await abandonDeploy(context, request.signal.aborted ? request.signal.reason : error)
    throw request.signal.aborted ? request.signal.reason : error
  } finally {
    await run.close()
  }
}

async function deploy(context: RunContext, request: DeployRequest): Promise<readonly ServiceFailure[]> {
  const { run, record } = context
  const versionOf = versionsOf(context, request.services)
  const token = await prepare(context, request.base)
  const restarted = request.services.filter(({ service }) => record.services[service]?.restartRequested === true)
  if (restarted.length > 0) {
    await stopServices(
      context,
      restarted.map(({ service }) => service),
    )
  }
  const outcomes = await Promise.all(
    request.services.map((service) => rollOut(context, service, { token, version: versionOf(service) })),
  )
  context.signal.throwIfAborted()
  const copies = outcomes.flatMap((outcome) => ('workload' in outcome ? [outcome] : []))
  const failed = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome] : []))
  const published = await publishCopies(context, request, copies)
  await run.step({ name: 'configure-routes' }, () => configureRoutes(context))
  for (const { service } of published.failures) await dropFailedCopy(context, service)
  const unverified = await verifyAll(context, published.copies)
  if (unverified.length > 0) await revert(context, unverified)
  await retire(context, published.revision)
  return [...failed, ...published.failures, ...unverified]
}

/** The space and the tenant side by side: neither needs the other. Answers the tenant's token. When one fails, the other has ended too. */
async function prepare(context: RunContext, base: string | null): Promise<string> {
  const { deps, run, record } = context
  const ref = { name: 'prepare' }
  const space = run.step(ref, () =>
    deps.platform.ensureSpace(record.name, record.generation, platformContext(context, ref)),
  )
  const tenant = run.step({ name: 'register-tenant' }, () => registerTenant(context, base))
  await Promise.allSettled([space, tenant])
  await space
  const token = await tenant
  context.secrets.add(token)
  return token
}

/** Asked for early: counting commits takes as long as all that is done before the answer is needed. */
function versionsOf(
  { deps }: RunContext,
  services: readonly DesiredService[],
): (service: DesiredService) => Promise<string> {
  const asked = new Map<string, Promise<string>>()
  const versionOf = ({ repository: name, commitSha }: DesiredService): Promise<string> => {
    const key = `${name} ${commitSha}`
    const repository = deps.config.repositories.find((one) => one.name === name)
    const version =
      asked.get(key) ??
      (repository === undefined ? Promise.resolve('v0.0-0') : deps.sourceControl.describeVersion(repository, commitSha))
    asked.set(key, version)
    return version
  }
  // Whoever needs it hears of a failure; a run that ends before does not.
  for (const service of services) versionOf(service).catch(() => undefined)
  return versionOf
}

async function rollOut(
  context: RunContext,
  service: DesiredService,
  given: RollOutInputs,
): Promise<FreshCopy | ServiceFailure> {
  try {
    return await rollOutService(context, service, given)
  } catch (error) {
    if (context.signal.aborted) return { service, error: context.signal.reason }
    await dropFailedCopy(context, service)
    return { service, error }
  }
}

/** The copy that failed goes, the one that serves stays. */
async function dropFailedCopy(context: RunContext, { service }: DesiredService): Promise<void> {
  const { deps, record } = context
  const keep = record.services[service]?.deployed?.workloadId
  const target = { environment: record.name, service, ...(keep === undefined ? {} : { keepWorkloadId: keep }) }
  const step = { name: 'deploy', service }
  await deps.platform.retireWorkloads(target, platformContext(context, step)).catch((error: unknown) => {
    context.run.logOf(step)(`the failed copy could not be removed now: ${messageOf(error)}`)
  })
}

/** Names follow the entries at once: a program without the SDK must not call a copy that is about to go. */
async function revert(context: RunContext, copies: readonly FreshCopy[]): Promise<void> {
  await revertCopies(context, copies)
  await leadCalls(context.deps, context.record, platformContext(context, { name: 'revert' }))
}

async function configureRoutes(context: RunContext): Promise<void> {
  const { deps, record } = context
  await leadCalls(deps, record, platformContext(context, { name: 'configure-routes' }))
  await recordThing(context, { kind: 'route', id: record.name })
  await deps.routes.apply(record.name)
  const url = deps.routes.urlOf(record.name)
  await updateEnvironment(deps.store, record.name, (current) => (current.url === url ? current : { ...current, url }))
}

async function verifyAll(
  context: RunContext,
  copies: readonly FreshCopy[],
): Promise<readonly (ServiceFailure & FreshCopy)[]> {
  const outcomes = await Promise.all(
    copies.map(async (copy) => {
      try {
        await context.run.step({ name: 'verify', service: copy.service.service }, async (log) =>
          log(await verifyService(context, copy)),
        )
        return []
      } catch (error) {
        context.signal.throwIfAborted()
        return [{ ...copy, error }]
      }
    }),
  )
  return outcomes.flat()
}

/** Removes every copy that no entry leads to, once subscribers have moved on; then strikes what is gone out of the ledger. */
async function retire(context: RunContext, revision: string | undefined): Promise<void> {
  const { deps, run, record, signal } = context
  const ref = { name: 'retire' }
  await run.step(ref, async (log) => {
    const current = await getEnvironment(deps.store, record.name)
    const workloads = await deps.platform.listWorkloads(record.name)
    const old = workloads.filter(
      ({ service, workloadId }) => current.services[service]?.deployed?.workloadId !== workloadId,
    )
    if (old.length > 0) await drain(deps, revision, { signal, log })
    for (const service of new Set(old.map((workload) => workload.service))) {
      const keep = current.services[service]?.deployed?.workloadId
      const target = { environment: record.name, service, ...(keep === undefined ? {} : { keepWorkloadId: keep }) }
      await deps.platform.retireWorkloads(target, platformContext(context, ref))
    }
    await pruneLedger(deps, record.name)
  })
}

/** The reason of an abort by a newer push. */
export function superseded(why: string): AppError {
  return failure('RUN_SUPERSEDED', why)
}

function markDeploying(record: EnvironmentRecord, services: readonly DesiredService[]): EnvironmentRecord {
  const names = new Set(services.map(({ service }) => service))
  return mapServices(record, (service) => (names.has(service.name) ? { ...service, deploying: true } : service))
}
