import type { PlanAction } from '@tributary/contract'
import { builtImageOf } from '../../domain/desired-services.js'
import { servedBefore, withPastDeploy, type ServiceRecord } from '../../domain/environment-record.js'
import type { ServiceName } from '../../ports/platform.js'
import { applyServiceNames } from '../apply-service-names.js'
import { messageOf } from '../dependencies.js'
import { updateEnvironment } from '../state/environments.js'
import { platformContext, type FreshCopy, type RunContext } from './deploy-context.js'
import type { ServiceFailure } from './end-deploy.js'
import { registerServices, type Registration } from './register-services.js'

/** What a deploy changes in the tenant besides the copies. */
export interface PublishRequest {
  readonly base: string | null
  readonly actions: readonly PlanAction[]
  readonly masked: readonly string[]
}

/** What was published, at which store revision (undefined: nothing had to be written), and what could not be. */
export interface Published {
  readonly revision: string | undefined
  readonly copies: readonly FreshCopy[]
  readonly failures: readonly ServiceFailure[]
}

const STEP = { name: 'register-services' } as const
/** Names are put right even when the run was superseded. */
const REPAIR_MS = 10_000

/**
 * Sends callers to the copies: once each one's address is known to answer, in one transaction. A copy whose address does not is left out, and callers
 * stay where they are.
 */
export async function publishCopies(
  context: RunContext,
  request: PublishRequest,
  copies: readonly FreshCopy[],
): Promise<Published> {
  const { deps, run, record } = context
  const target = { environment: record.name, copies: copies.map(nameOf) }
  return run.step(STEP, async (log) => {
    try {
      const publish = (unreached: ReadonlyMap<string, Error>): Promise<Published> =>
        publishReached(context, request, { copies, unreached })
      return await deps.platform.openAddresses(target, publish, platformContext(context, STEP))
    } catch (error) {
      await putNamesBack(context).catch((failed: unknown) =>
        log(`service names were not put back: ${messageOf(failed)}`),
      )
      throw error
    }
  })
}

async function publishReached(
  context: RunContext,
  request: PublishRequest,
  { copies, unreached }: { readonly copies: readonly FreshCopy[]; readonly unreached: ReadonlyMap<string, Error> },
): Promise<Published> {
  const failures = copies.flatMap(({ service }) => {
    const error = unreached.get(service.service)
    return error === undefined ? [] : [{ service, error }]
  })
  const reached = copies.filter(({ service }) => !unreached.has(service.service))
  const revision = await register(context, request, { copies: reached, ...registrationOf(request) })
  return { revision, copies: reached, failures }
}

/** Nobody was told of the copies: names lead where they led before. */
async function putNamesBack(context: RunContext): Promise<void> {
  const signal = AbortSignal.timeout(REPAIR_MS)
  await applyServiceNames(context.deps, context.record.name, platformContext(context, STEP, signal))
}

function nameOf({ service, workload }: FreshCopy): ServiceName {
  return { service: service.service, state: 'own', endpoints: workload.endpoints }
}

function registrationOf({ actions }: PublishRequest): Omit<Registration, 'copies'> {
  const named = (kind: PlanAction['action']): readonly string[] =>
    actions.flatMap(({ action, service }) => (action === kind && service !== undefined ? [service] : []))
  return { remove: named('remove-service'), mask: named('mask-service'), unmask: named('unmask-service') }
}

/** Registers, then remembers what serves: a crash in between is made good by the next reconcile, which finds the copies running. */
async function register(
  context: RunContext,
  request: PublishRequest,
  registration: Registration,
): Promise<string | undefined> {
  const revision = await registerServices(context, registration)
  const { deps, run, record } = context
  const now = deps.clock.now()
  await updateEnvironment(deps.store, record.name, (current) => {
    const services: Record<string, ServiceRecord> = { ...current.services }
    for (const name of registration.remove) delete services[name]
    for (const copy of registration.copies) {
      const before = services[copy.service.service]
      if (before !== undefined)
        services[copy.service.service] = withCopy(before, copy, { runId: run.run.runId, at: now })
    }
    const unfinished = registration.copies.map(({ service: { service } }) => ({
      service,
      before: servedBefore(record, service),
    }))
    return { ...current, services, unfinished, masked: request.masked, base: request.base, established: true }
  })
  return revision
}

function withCopy(
  before: ServiceRecord,
  { service, workload }: FreshCopy,
  { runId, at }: { readonly runId: string; readonly at: number },
): ServiceRecord {
  const { workloadId, version, endpoints } = workload
  const { commitSha } = service
  const image = builtImageOf(service)
  const history = withPastDeploy(before.history, { runId, commitSha, version, at })
  const deployed = { commitSha, version, workloadId, endpoints, ...(image === undefined ? {} : { image }) }
  return { ...before, deployed, health: 'healthy', healthMessage: null, failure: null, deploying: false, history }
}
