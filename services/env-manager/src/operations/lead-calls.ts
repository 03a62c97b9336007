import PQueue from 'p-queue'
import { basesBelow } from '../domain/bases-below.js'
import type { EnvironmentRecord } from '../domain/environment-record.js'
import type { PlatformContext } from '../ports/platform.js'
import { applyMeshRoutes } from './apply-mesh-routes.js'
import { applyServiceNames } from './apply-service-names.js'
import { contextOutsideRun } from './context-outside-run.js'
import { messageOf, type EnvironmentDependencies } from './dependencies.js'
import { listEnvironments } from './state/environments.js'

type LeadDependencies = Pick<EnvironmentDependencies, 'platform' | 'configCenter' | 'store' | 'clock' | 'mesh'>
type Led = Pick<EnvironmentRecord, 'name' | 'generation'>

/** Environments over one that are led at a time. */
const PARALLEL = 4

/**
 * Leads calls by service names and header routes to where the config center resolves them now, for the environment and for those over it. Called after entries have
 * moved, and before a copy stops that they led to: nothing drains those calls. Does nothing on a platform without names and meshes.
 */
export async function leadCalls(deps: LeadDependencies, environment: Led, context: PlatformContext): Promise<void> {
  await applyServiceNames(deps, environment.name, context)
  await applyMeshRoutes(deps, environment, context)
  await leadCallsOver(deps, environment, context)
}

/**
 * As {@link leadCalls}, for the environments over this one alone. One that cannot be led is told in the log and holds nothing up: the follower of the route table
 * tries it again. Over a root nobody is led around: nothing below could answer.
 */
export async function leadCallsOver(
  deps: LeadDependencies,
  { name }: Pick<Led, 'name'>,
  { signal, log }: Pick<PlatformContext, 'signal' | 'log'>,
): Promise<void> {
  if (deps.mesh === undefined && !deps.platform.capabilities.has('service-names')) return
  const queue = new PQueue({ concurrency: PARALLEL })
  const lead = async (over: EnvironmentRecord): Promise<void> => {
    try {
      const context = contextOutsideRun(deps, over, { signal, log })
      await applyServiceNames(deps, over.name, context)
      await applyMeshRoutes(deps, over, context)
    } catch (error) {
      log(`calls of ${over.name}, which lies over ${name}, are not led anew yet: ${messageOf(error)}`)
    }
  }
  await queue.addAll((await environmentsOver(deps, name)).map((over) => () => lead(over)))
  signal.throwIfAborted()
}

/** None over a root, however many there are. */
async function environmentsOver(
  { store }: Pick<EnvironmentDependencies, 'store'>,
  name: string,
): Promise<readonly EnvironmentRecord[]> {
  const records = new Map((await listEnvironments(store)).map((record) => [record.name, record]))
  if ((records.get(name)?.base ?? null) === null) return []
  return [...records.values()].filter(
    (record) => record.tombstone === null && basesBelow(record.name, records).includes(name),
  )
}
