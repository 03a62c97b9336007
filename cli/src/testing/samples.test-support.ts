import type { Environment, ManagerStatus, Run, Topology, TopologyNode } from '@tributary/contract'

const COMMIT = 'a36d14738918f07f6969b0a86c152faf85534699'
const MAIN = 'da65fee0000000000000000000000000000000ff'

/** A ready environment with one own service. */
export const featureX: Environment = {
  name: 'feature-x',
  branch: 'feature/x',
  stage: 'development',
  base: 'integration',
  generation: 1,
  phase: 'ready',
  pinned: false,
  createdAt: '2026-01-02T11:00:00.000Z',
  lastPushAt: '2026-01-02T11:56:00.000Z',
  owner: { name: 'Ann Lee', email: 'ann@example.org' },
  expiresAt: '2026-01-16T11:56:00.000Z',
  asleep: null,
  lastRequestAt: null,
  sleepsAt: null,
  repositories: [{ repository: 'shop', commitSha: COMMIT }],
  services: [
    {
      name: 'orders',
      repository: 'shop',
      wantedCommit: COMMIT,
      deployedCommit: COMMIT,
      version: 'v1.0-1-a36d1473',
      status: 'healthy',
      url: 'http://feature-x.localhost:7480/orders/',
    },
  ],
  masked: [],
  conditions: [],
  url: 'http://feature-x.localhost:7480/',
  currentRunId: null,
  lastRunId: 'run-7',
}

/** The same after a push whose deploy failed. */
export const brokenX: Environment = {
  ...featureX,
  phase: 'degraded',
  pinned: true,
  services: featureX.services.map((service) => ({ ...service, wantedCommit: MAIN, status: 'failed' })),
  conditions: [
    {
      type: 'ServiceHealthy',
      status: 'False',
      reason: 'DeployFailed',
      message: 'the process ended with status 1: SyntaxError: Unexpected token',
      service: 'orders',
      observedGeneration: 1,
      lastTransitionAt: '2026-01-02T11:58:00.000Z',
    },
  ],
}

/** A deploy run that succeeded. */
export const run7: Run = {
  runId: 'run-7',
  environment: 'feature-x',
  generation: 1,
  kind: 'deploy',
  state: 'succeeded',
  trigger: 'push',
  commits: [{ repository: 'shop', commitSha: COMMIT }],
  startedAt: '2026-01-02T11:56:00.000Z',
  finishedAt: '2026-01-02T11:56:01.250Z',
  steps: [
    {
      name: 'prepare',
      state: 'succeeded',
      startedAt: '2026-01-02T11:56:00.000Z',
      finishedAt: '2026-01-02T11:56:00.030Z',
      message: null,
    },
    {
      name: 'deploy',
      service: 'orders',
      state: 'succeeded',
      startedAt: '2026-01-02T11:56:00.030Z',
      finishedAt: '2026-01-02T11:56:01.250Z',
      message: null,
    },
  ],
  error: null,
}

const node = (service: string, more: Partial<TopologyNode>): TopologyNode => ({
  service,
  state: 'inherited',
  owner: 'integration',
  version: 'v1.0-0-da65fee0',
  commitSha: MAIN,
  health: 'healthy',
  healthMessage: null,
  endpoints: [{ name: 'http', protocol: 'http', host: '127.0.0.1', port: 4711 }],
  url: `http://feature-x.localhost:7480/${service}/`,
  ...more,
})

/** The shop as a feature environment sees it. */
export const topologyX: Topology = {
  environment: 'feature-x',
  chain: ['feature-x', 'integration'],
  storeRevision: '42',
  nodes: [
    node('web', {}),
    node('orders', { state: 'own', owner: 'feature-x', version: 'v1.0-1-a36d1473' }),
    node('inventory', { health: 'unhealthy', healthMessage: 'GET /readyz answers 503' }),
    node('payments', {}),
  ],
  edges: [
    {
      from: 'web',
      to: 'orders',
      declared: true,
      observed: {
        calls: 12,
        errors: 0,
        leaks: 0,
        latency: { p50Ms: 5, p95Ms: 20 },
        lastSeenAt: '2026-01-02T11:59:00.000Z',
      },
    },
    { from: 'orders', to: 'inventory', declared: true, observed: null },
    {
      from: 'orders',
      to: 'payments',
      declared: false,
      observed: { calls: 1, errors: 1, leaks: 1, latency: null, lastSeenAt: '2026-01-02T11:59:00.000Z' },
    },
    { from: 'payments', to: 'orders', declared: true, observed: null },
  ],
  leaks: [
    {
      kind: 'dropped',
      tenant: 'feature-x',
      from: 'orders',
      to: 'payments',
      route: 'POST /pay/:id',
      count: 1,
      firstSeenAt: '2026-01-02T11:59:00.000Z',
      lastSeenAt: '2026-01-02T11:59:00.000Z',
      traceId: '0af7651916cd43dd8448eb211c80319c',
      seenIn: { tenant: 'integration', service: 'orders' },
    },
  ],
}

/** An env-manager that has stopped a mass deletion. */
export const frozenStatus: ManagerStatus = {
  instance: 'tributary',
  platform: 'local',
  capabilities: ['run-from-source'],
  replicas: [{ replicaId: 'demo', role: 'leader', url: null, startedAt: null }],
  environments: 9,
  queued: ['feature-y'],
  running: [],
  repositories: [
    { name: 'shop', url: '/git/shop.git', lastListedAt: '2026-01-02T11:59:58.000Z', branches: 9, error: null },
    { name: 'payments', url: '/git/payments.git', lastListedAt: null, branches: 0, error: 'does not answer' },
  ],
  configCenter: 'READY',
  frozen: {
    since: '2026-01-02T11:50:00.000Z',
    reason: 'one pass would remove 8 of 9 environments',
    wouldDelete: ['feature-a', 'feature-b'],
    approvalId: 'ap-1',
  },
  orphans: [{ kind: 'process', id: '4711', environment: 'feature-z' }],
}
