import type { CallExplanation, ResolvedView, Topology, TopologyDifference } from '@tributary/contract'
import type { EnvironmentRecord } from '../../domain/environment-record.js'
import { ownMember } from '../../domain/own-member.js'
import {
  buildTopology,
  diffTopologies,
  explainCall,
  type Caller,
  type KnownService,
  type KnownServiceLookup,
} from '../../domain/topology.js'
import { failure } from '../../errors.js'
import type { WorkloadStatus } from '../../ports/platform.js'
import { unlessNotFound } from '../observe-environment.js'
import type { EnvironmentDependencies } from '../dependencies.js'
import { findEnvironment, getEnvironment } from '../state/environments.js'
import { listWorkloads } from '../without-secrets.js'

type TopologyDependencies = Pick<
  EnvironmentDependencies,
  'store' | 'configCenter' | 'platform' | 'routes' | 'offeredSecrets'
>

/** Who answers whom in an environment now. `ENVIRONMENT_NOT_FOUND`; an environment without a tenant yet has no services. */
export async function readTopology(deps: TopologyDependencies, name: string): Promise<Topology> {
  const record = await getEnvironment(deps.store, name)
  const view = await unlessNotFound(deps.configCenter.getView(name))
  if (view === undefined)
    return { environment: record.name, chain: [], storeRevision: '0', nodes: [], edges: [], leaks: [] }
  const observed = await unlessNotFound(deps.configCenter.getCalls(name))
  const owners = new Set(Object.values(view.services).map(({ owner }) => owner))
  const known = new Map<string, { readonly record: EnvironmentRecord; readonly workloads: readonly WorkloadStatus[] }>()
  for (const owner of owners) {
    const ownerRecord = await findEnvironment(deps.store, owner)
    if (ownerRecord !== undefined)
      known.set(owner, { record: ownerRecord, workloads: await listWorkloads(deps, owner) })
  }
  const lookup: KnownServiceLookup = (owner, service) => {
    const found = known.get(owner)
    return found === undefined ? undefined : knownService(found, service, deps.routes.urlOf(name, service))
  }
  return buildTopology(view, lookup, observed)
}

/** What a feature environment has otherwise than another. */
export async function diffEnvironments(
  deps: TopologyDependencies,
  left: string,
  right: string,
): Promise<TopologyDifference> {
  const [one, other] = await Promise.all([readTopology(deps, left), readTopology(deps, right)])
  return diffTopologies(one, other)
}

/** A call to a service of an environment; `from`: the service that makes it. */
export interface ExplainRequest {
  readonly service: string
  readonly from?: string | undefined
}

/** Which address answers a call of an environment, and why; with `from` also which copy makes it. */
export async function explainEnvironmentCall(
  deps: TopologyDependencies,
  name: string,
  { service, from }: ExplainRequest,
): Promise<CallExplanation> {
  await getEnvironment(deps.store, name)
  const explanation = await unlessNotFound(deps.configCenter.explain(name, { service }))
  if (explanation === undefined) {
    throw failure(
      'ENVIRONMENT_NOT_FOUND',
      `The tenant of ${name} is not registered yet; \`tributary env show ${name}\` says why`,
    )
  }
  const view = await deps.configCenter.getView(name)
  const caller = from === undefined ? undefined : await findCaller(deps, view, { service, from })
  return explainCall(explanation, ownMember(view.services, service), caller)
}

async function findCaller(
  deps: TopologyDependencies,
  view: ResolvedView,
  { service, from }: Required<ExplainRequest> & { readonly from: string },
): Promise<Caller> {
  const resolved = ownMember(view.services, from)
  const owner = resolved?.owner
  const record = owner === undefined ? undefined : await findEnvironment(deps.store, owner)
  const ownView = owner === undefined ? undefined : await unlessNotFound(deps.configCenter.getView(owner))
  return {
    service: from,
    resolved,
    dependsOn: (record === undefined ? undefined : ownMember(record.services, from))?.dependsOn ?? [],
    withoutContext: ownView === undefined ? undefined : ownMember(ownView.services, service),
  }
}

function knownService(
  { record, workloads }: { readonly record: EnvironmentRecord; readonly workloads: readonly WorkloadStatus[] },
  service: string,
  url: string,
): KnownService | undefined {
  const known = ownMember(record.services, service)
  if (known === undefined) return undefined
  const copy = workloads.find(({ workloadId }) => workloadId === known.deployed?.workloadId)
  const health = copy === undefined ? 'unhealthy' : copy.health === 'stopped' ? 'unhealthy' : copy.health
  const healthMessage = copy === undefined ? 'its copy is gone' : copy.message
  return { dependsOn: known.dependsOn, health, healthMessage, url }
}
