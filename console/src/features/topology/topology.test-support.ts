import type { Topology, TopologyEdge, TopologyNode } from '@tributary/contract'

/** A node of a topology; what is not named is as of a healthy own service. */
export function node(service: string, given: Partial<TopologyNode> = {}): TopologyNode {
  return {
    service,
    state: 'own',
    owner: 'feature-x',
    version: null,
    commitSha: null,
    health: 'healthy',
    healthMessage: null,
    endpoints: [],
    url: null,
    ...given,
  }
}

/** A service that is inherited from integration. */
export function inherited(service: string): TopologyNode {
  return node(service, { state: 'inherited', owner: 'integration' })
}

/** A declared call; with `calls` an observed one too. */
export function call(from: string, to: string, calls?: number): TopologyEdge {
  const observed =
    calls === undefined ? null : { calls, errors: 0, leaks: 0, latency: null, lastSeenAt: '2026-01-01T00:00:00.000Z' }
  return { from, to, declared: true, observed }
}

/** The topology of feature-x over integration. */
export function topology(nodes: TopologyNode[], edges: TopologyEdge[]): Topology {
  return { environment: 'feature-x', chain: ['feature-x', 'integration'], storeRevision: '1', nodes, edges, leaks: [] }
}

/** A large system in layers: every service calls three of the next layer; the first of each layer is the environment's own. */
export function largeTopology(services: number, layers: number): Topology {
  const perLayer = Math.ceil(services / layers)
  const name = (index: number): string => `service-${String(index).padStart(3, '0')}`
  const nodes = Array.from({ length: services }, (_, index) =>
    index % perLayer === 0 ? node(name(index)) : inherited(name(index)),
  )
  const edges = Array.from({ length: services }, (_, index) => index).flatMap((index) =>
    [0, 1, 2].flatMap((step) => {
      const to = (Math.floor(index / perLayer) + 1) * perLayer + ((index * 7 + step * 5) % perLayer)
      return to < services ? [call(name(index), name(to), index)] : []
    }),
  )
  return topology(nodes, edges)
}
