import { INTEGRATION_TENANT, type ManagerReplica, type ManagerStatus } from '@tributary/contract'
import { isAppError } from '@tributary/kit'
import type { EnvironmentDependencies } from './dependencies.js'
import { findBreaker } from './state/breaker.js'
import { listEnvironments } from './state/environments.js'
import { listReplicas } from './state/manager-replicas.js'

const PROBE_TIMEOUT_MS = 2000

/** How the loop says it is doing. Instants are epoch milliseconds. */
export interface LoopStatus {
  readonly queued: readonly string[]
  readonly running: readonly string[]
  readonly orphans: readonly { readonly kind: string; readonly id: string; readonly environment: string | null }[]
  readonly repositories: readonly {
    readonly name: string
    readonly url: string
    readonly lastListedAt: number | null
    readonly branches: number
    readonly error: string | null
  }[]
}

/** The manager's own state, for people. Asks the config center whether it answers. */
export async function readStatus(deps: EnvironmentDependencies, loop: LoopStatus): Promise<ManagerStatus> {
  const breaker = await findBreaker(deps.store)
  return {
    instance: deps.config.instance,
    platform: deps.platform.name,
    capabilities: [...deps.platform.capabilities],
    replicas: await replicasOf(deps),
    environments: (await listEnvironments(deps.store)).length,
    queued: [...loop.queued],
    running: [...loop.running],
    repositories: loop.repositories.map((one) => ({ ...one, lastListedAt: instantOf(one.lastListedAt) })),
    configCenter: await probeConfigCenter(deps),
    frozen:
      breaker === undefined
        ? null
        : {
            since: new Date(breaker.since).toISOString(),
            reason: breaker.reason,
            wouldDelete: [...breaker.wouldDelete],
            approvalId: breaker.approvalId,
          },
    orphans: [...loop.orphans],
  }
}

/** Where processes announce themselves there are several; elsewhere this one is the only one. */
async function replicasOf({ store, config }: EnvironmentDependencies): Promise<ManagerReplica[]> {
  const announced = await listReplicas(store)
  return announced.length > 0
    ? [...announced]
    : [{ replicaId: config.instance, role: 'leader', url: null, startedAt: null }]
}

/** Whether the config center answers this env-manager's token within two seconds. */
export async function probeConfigCenter({
  configCenter,
}: Pick<EnvironmentDependencies, 'configCenter'>): Promise<ManagerStatus['configCenter']> {
  try {
    await configCenter.getTenant(INTEGRATION_TENANT, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) })
    return 'READY'
  } catch (error) {
    // Before the first deploy there is no such tenant, which is an answer too.
    return isAppError(error) && error.kind === 'not_found' ? 'READY' : 'ERROR'
  }
}

function instantOf(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}
