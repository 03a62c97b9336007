import type { Environment, SessionState, Topology, TopologyEdge, TopologyNode } from '@tributary/contract'

const AT = '2026-01-01T00:00:00.000Z'
const SHA = 'a'.repeat(40)
const CALLS_OF_EACH = 3
const LAYERS = 6

/** Answers of the API by path, for a page that is looked at without servers behind it. */
export type Answers = Readonly<Record<string, unknown>>

/** An admin's session, and as many environments as asked for. */
export function answersFor(environments: number, topology: Topology): Answers {
  const list = Array.from({ length: environments }, (_, index) => environment(index))
  const [first] = list
  return {
    '/v1/session': SESSION,
    '/v1/environments': { environments: list },
    [`/v1/environments/${topology.environment}`]: { ...first, name: topology.environment },
    [`/v1/environments/${topology.environment}/topology`]: topology,
    '/v1/status': { repositories: [] },
  }
}

const SESSION: SessionState = {
  session: {
    name: 'bench',
    role: 'admin',
    by: 'token',
    csrf: 'x',
    expiresAt: null,
    idleSeconds: null,
    permissions: [],
  },
  signIn: { token: true, oidc: null },
}

function environment(index: number): Environment {
  const name = `feature-${String(index).padStart(4, '0')}-${'x'.repeat(index % 20)}`
  return {
    name,
    branch: `feature/${name}`,
    stage: 'development',
    base: 'integration',
    generation: 1,
    phase: (['ready', 'degraded', 'failed', 'deploying'] as const)[index % 4] ?? 'ready',
    pinned: index % 7 === 0,
    createdAt: AT,
    lastPushAt: AT,
    owner: { name: `Person ${index % 40}`, email: `person-${index % 40}@example.org` },
    expiresAt: AT,
    asleep: null,
    lastRequestAt: null,
    sleepsAt: null,
    repositories: [{ repository: 'shop', commitSha: SHA }],
    services: Array.from({ length: 1 + (index % 5) }, (_, service) => ({
      name: `service-${service}-${'s'.repeat(50)}`.slice(0, 63),
      repository: 'shop',
      wantedCommit: SHA,
      deployedCommit: SHA,
      version: 'v1.0-0-aaaaaaaa',
      status: 'healthy' as const,
      url: null,
    })),
    masked: [],
    conditions: [],
    url: `http://${name}.localhost:7480`,
    currentRunId: null,
    lastRunId: null,
  }
}

/** A system in layers: each service calls three of the next layer; every thirtieth is the environment's own. */
export function topologyOf(services: number): Topology {
  const perLayer = Math.ceil(services / LAYERS)
  const nodes = Array.from({ length: services }, (_, index) => nodeAt(index))
  const edges = nodes.flatMap((_, index) =>
    Array.from({ length: CALLS_OF_EACH }, (_unused, step) => {
      const layer = Math.floor(index / perLayer) + 1
      return layer * perLayer + ((index * 7 + step * 5) % perLayer)
    })
      .filter((to) => to < services)
      .map((to): TopologyEdge => callOf(index, to)),
  )
  return { environment: 'feature-x', chain: ['feature-x', 'integration'], storeRevision: '1', nodes, edges, leaks: [] }
}

function nodeAt(index: number): TopologyNode {
  const own = index % 30 === 0
  return {
    service: nameAt(index),
    state: own ? 'own' : 'inherited',
    owner: own ? 'feature-x' : 'integration',
    version: 'v1.0-0-aaaaaaaa',
    commitSha: SHA,
    health: 'healthy',
    healthMessage: null,
    endpoints: [{ name: 'http', protocol: 'http', host: '127.0.0.1', port: 8080 }],
    url: null,
  }
}

function callOf(from: number, to: number): TopologyEdge {
  const observed = {
    calls: from + to,
    errors: from % 9 === 0 ? 1 : 0,
    leaks: 0,
    latency: { p50Ms: 5, p95Ms: 20 },
    lastSeenAt: AT,
  }
  return { from: nameAt(from), to: nameAt(to), declared: true, observed: from % 2 === 0 ? observed : null }
}

function nameAt(index: number): string {
  return `service-${String(index).padStart(3, '0')}-of-the-large-system`
}
