import type {
  CallExplanation,
  Explanation,
  ResolvedService,
  ResolvedView,
  Topology,
  TopologyDifference,
  TopologyEdge,
  TopologyNode,
} from '@tributary/contract'
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

/** An environment's services as it sees them, and who is declared to call whom. Ordered by name. Pure. */
export function buildTopology(view: ResolvedView, lookup: KnownServiceLookup): Topology {
  const visible = Object.entries(view.services).sort(([left], [right]) => compare(left, right))
  const edges = visible.flatMap(([service, resolved]) =>
    (lookup(resolved.owner, service)?.dependsOn ?? []).map((to): TopologyEdge => ({
      from: service,
      to,
      declared: true,
      observed: null,
    })),
  )
  const missing = [...new Set(edges.map(({ to }) => to))]
    .filter((service) => view.services[service] === undefined)
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
  }
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

/** Which address answers a call, by which rule, and why not another, from the config center's explanation. */
export function explainCall(
  { tenant, service, storeRevision, layers }: Explanation,
  resolved: ResolvedService | undefined,
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
    alternatives,
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
