import type {
  CallExplanation,
  ExplainedCaller,
  Explanation,
  ObservedCalls,
  ObservedEdge,
  ResolvedService,
  ResolvedView,
  Topology,
  TopologyDifference,
  TopologyEdge,
  TopologyNode,
} from '@tributary/contract'
import { ownMember } from './own-member.js'
import { canonicalJson } from '@tributary/contract'

/** What the manager knows of a service in the environment that owns it. */
export interface KnownService {
  readonly dependsOn: readonly string[]
  readonly health: TopologyNode['health']
  readonly healthMessage: string | null
  readonly url: string | null
}

/** Finds what is known of the copy of `service` that `owner` has; undefined for copies that others registered. */
export type KnownServiceLookup = (owner: string, service: string) => KnownService | undefined

/** What processes have reported about calls; nothing of it changes who answers. */
export type Observations = Pick<ObservedCalls, 'edges' | 'leaks'>

const NOTHING_OBSERVED: Observations = { edges: [], leaks: [] }

/**
 * An environment's services as it sees them, who is declared to call whom and who was seen to. Services and declared edges are
 * ordered by name; edges that were only observed follow. Pure.
 */
export function buildTopology(
  view: ResolvedView,
  lookup: KnownServiceLookup,
  observations: Observations = NOTHING_OBSERVED,
): Topology {
  const visible = Object.entries(view.services).sort(([left], [right]) => compare(left, right))
  const declared = visible.flatMap(([service, resolved]) =>
    (lookup(resolved.owner, service)?.dependsOn ?? []).map((to) => ({ from: service, to })),
  )
  const edges = withObserved(declared, observations)
  const missing = [...new Set(edges.flatMap(({ from, to }) => [from, to]))]
    .filter((service) => ownMember(view.services, service) === undefined)
    .sort()
  return {
    environment: view.tenant,
    chain: [...view.chain],
    storeRevision: view.storeRevision,
    nodes: [
      ...visible.map(([service, resolved]) => nodeOf(service, resolved, lookup(resolved.owner, service))),
      ...missing.map(missingNode),
    ],
    edges,
    leaks: [...observations.leaks],
  }
}

function withObserved(
  declared: readonly { readonly from: string; readonly to: string }[],
  { edges }: Observations,
): TopologyEdge[] {
  const seen = new Map(edges.map((edge) => [`${edge.from}\n${edge.to}`, edge]))
  const all = declared.map(({ from, to }): TopologyEdge => {
    const key = `${from}\n${to}`
    const observed = observationOf(seen.get(key))
    seen.delete(key)
    return { from, to, declared: true, observed }
  })
  const surprises = [...seen.values()].map((edge): TopologyEdge => ({
    from: edge.from,
    to: edge.to,
    declared: false,
    observed: observationOf(edge),
  }))
  return [...all, ...surprises]
}

function observationOf(edge: ObservedEdge | undefined): TopologyEdge['observed'] {
  if (edge === undefined) return null
  const { calls, errors, leaks, latency, lastSeenAt } = edge
  return { calls, errors, leaks, latency, lastSeenAt }
}

/** What differs between two topologies, by service; addresses and health count, the store revision does not. */
export function diffTopologies(left: Topology, right: Topology): TopologyDifference {
  const names = [...new Set([...left.nodes, ...right.nodes].map(({ service }) => service))].sort()
  const services = names.flatMap((service) => {
    const [before, after] = [left, right].map(({ nodes }) => nodes.find((node) => node.service === service) ?? null)
    return isSame(before ?? null, after ?? null) ? [] : [{ service, left: before ?? null, right: after ?? null }]
  })
  return { left: left.environment, right: right.environment, services }
}

/** Who makes the call that is explained. `withoutContext`: what its own tenant resolves the called service to. */
export interface Caller {
  readonly service: string
  readonly resolved: ResolvedService | undefined
  readonly dependsOn: readonly string[]
  readonly withoutContext: ResolvedService | undefined
}

/**
 * Which address answers a call, by which rule, and why not another, from the config center's explanation; with a caller also which copy
 * of it makes the call, and what would become of it without the routing context.
 */
export function explainCall(
  { tenant, service, storeRevision, layers }: Explanation,
  resolved: ResolvedService | undefined,
  caller?: Caller,
): CallExplanation {
  const owner = resolved?.owner ?? null
  const alternatives = layers
    .filter((layer) => layer.source === 'entry' && layer.tenant !== owner)
    .map((layer) => ({
      tenant: layer.tenant,
      endpoints: endpointsIn(layer.value),
      whyNot: whyNot(layer.tenant, resolved),
    }))
  return {
    environment: tenant,
    service,
    rule: resolved?.state ?? 'missing',
    owner,
    endpoints: resolved?.endpoints ?? [],
    storeRevision,
    summary: summaryOf(tenant, service, resolved),
    ...(caller === undefined ? {} : { from: explainCaller({ tenant, service }, resolved, caller) }),
    alternatives,
  }
}

function explainCaller(
  call: { readonly tenant: string; readonly service: string },
  resolved: ResolvedService | undefined,
  { service, resolved: copy, dependsOn, withoutContext }: Caller,
): ExplainedCaller {
  const isOtherTenants = copy !== undefined && copy.owner !== call.tenant
  const lost = isOtherTenants && withoutContext?.owner !== resolved?.owner
  const stray = withoutContext === undefined ? 'nobody' : `${withoutContext.owner}/${call.service}`
  const what =
    copy === undefined
      ? `nobody in the chain of ${call.tenant} has ${service}`
      : `${copy.owner}/${service} makes the call`
  const reached = resolved === undefined || resolved.endpoints.length === 0 ? 'as little' : 'the same copy'
  const how = !isOtherTenants
    ? `it belongs to ${call.tenant} itself, so the call is for ${call.tenant} with and without a routing context`
    : lost
      ? `it resolves by the tenant of the request; if it lost the routing context, ${stray} would answer`
      : `it resolves by the tenant of the request, and would reach ${reached} without it`
  return {
    service,
    rule: copy?.state ?? 'missing',
    owner: copy?.owner ?? null,
    endpoints: copy?.endpoints ?? [],
    declared: dependsOn.includes(call.service),
    withoutContext: lost ? { owner: withoutContext?.owner ?? null, endpoints: withoutContext?.endpoints ?? [] } : null,
    summary: copy === undefined ? what : `${what}; ${how}`,
  }
}

function nodeOf(service: string, resolved: ResolvedService, known: KnownService | undefined): TopologyNode {
  const { state, owner, version, commitSha, endpoints } = resolved
  const masked = state === 'masked'
  return {
    service,
    state,
    owner,
    version: version ?? null,
    commitSha: commitSha ?? null,
    health: masked ? 'unknown' : (known?.health ?? 'unknown'),
    healthMessage: masked ? null : (known?.healthMessage ?? null),
    endpoints,
    url: masked ? null : (known?.url ?? null),
  }
}

function missingNode(service: string): TopologyNode {
  const nothing = { owner: null, version: null, commitSha: null, healthMessage: null, url: null }
  return { service, state: 'missing', health: 'unknown', endpoints: [], ...nothing }
}

/** The URL names the environment, so it differs between any two. */
function isSame(left: TopologyNode | null, right: TopologyNode | null): boolean {
  if (left === null || right === null) return left === right
  return canonicalJson({ ...left, url: null }) === canonicalJson({ ...right, url: null })
}

function summaryOf(tenant: string, service: string, resolved: ResolvedService | undefined): string {
  if (resolved === undefined) return `nobody in the chain of ${tenant} has ${service}: a call has no address`
  const { owner, state, endpoints, version } = resolved
  if (state === 'masked') return `${owner} masks ${service}: a call has no address, on purpose`
  const at = endpoints.map(({ host, port }) => `${host}:${port}`).join(', ') || 'no address'
  const what = version === undefined ? at : `${at} (${version})`
  return state === 'own'
    ? `${tenant} has its own ${service}: ${what} answers`
    : `${tenant} has no ${service} of its own and inherits that of ${owner}: ${what} answers`
}

function whyNot(tenant: string, resolved: ResolvedService | undefined): string {
  if (resolved === undefined) return `${tenant} has it, but its entry leads nowhere`
  const verb = resolved.state === 'masked' ? 'masks it' : 'has it too'
  return `${resolved.owner} ${verb} and is nearer than ${tenant}`
}

function endpointsIn(value: unknown): CallExplanation['alternatives'][number]['endpoints'] {
  const endpoints: unknown = (value as { readonly endpoints?: unknown } | null)?.endpoints
  return Array.isArray(endpoints) ? (endpoints as CallExplanation['endpoints']) : []
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
