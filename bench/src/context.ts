import { startChild, type Child } from './child.js'
import { ClosedLoop } from './closed-loop.js'
import type { Mode, Way } from './context-server.js'
import { quantile, type Figure } from './result.js'
import { load, startSystem, tenantChanges, upTo } from './system.js'

const WAYS: readonly Way[] = ['request', 'fetch']
const MODES: readonly Mode[] = ['plain', 'forwarding', 'storage', 'routed']
/** Rounds in turns: whatever else the machine does meets all servers alike. */
const ROUNDS = 5
const REQUESTS = 2_500
/** Each round begins with requests that do not count: a process that has been idle finds neither its pages nor its caches as it left them. */
const LEAD_IN = 1_000
/** What else the machine does only ever adds to the cost: the better rounds tell more of the program. The same for every server. */
const QUANTILE = 0.75
/** So many processes of each kind, one after the other, and their median: what the engine makes of the same program differs by a tenth from start to start. */
const MEDIAN = 0.5
const PROCESSES = 5
/**
 * A service runs for hours. What runs once for each request is compiled late, and compiled again after the first messages that are no
 * request: the parent's questions, and the SDK's reports, every 5 s. So every server gets several turns, seconds apart, before it counts.
 */
const WARM_UP = { turns: 3, requests: 10_000 }
const CONNECTIONS = 32
const TENANTS = 20

interface Server {
  readonly mode: Mode
  readonly way: Way
  readonly child: Child
  readonly loop: ClosedLoop
  readonly rounds: Round[]
}

/** The config center of all of them. */
interface Center {
  readonly url: string
  readonly token: string
}

interface Round {
  readonly perCpuSecond: number
  readonly perSecond: number
}

/**
 * A service that calls a service: fastify and undici as they are, and with the middleware and the dispatcher. Requests for each second of
 * the service's processor time are compared, because it is the service that pays; those for each second by the clock also depend on who
 * else uses the machine.
 */
export async function context(): Promise<Figure[]> {
  const system = await startSystem()
  const floor = startChild('./http-floor-server.js', import.meta.url)
  const measured: Server[] = []
  try {
    const { url: upstream } = await floor.ask<{ readonly url: string }>({ body: 'x'.repeat(200) })
    await fill(system.client, new URL(upstream))
    for (let turn = 0; turn < PROCESSES; turn += 1) measured.push(...(await compareAll(upstream, system)))
    return WAYS.flatMap((way) => figures(way, measured))
  } finally {
    await floor.stop()
    await system.stop()
  }
}

/** Measures one process of each kind. */
async function compareAll(upstream: string, system: Center): Promise<readonly Server[]> {
  const servers: Server[] = []
  try {
    for (const way of WAYS) {
      for (const mode of MODES) servers.push(await startServer({ mode, way }, upstream, system))
    }
    await compare(servers)
    return servers
  } finally {
    for (const { loop } of servers) loop.close()
    await Promise.all(servers.map(({ child }) => child.stop()))
  }
}

async function fill(client: Parameters<typeof load>[0], { hostname: host, port }: URL): Promise<void> {
  await load(client, tenantChanges('integration', null, upTo(50)))
  for (const index of upTo(TENANTS)) await load(client, tenantChanges(`tenant-${index}`, 'integration', [10 + index]))
  const endpoints = [{ name: 'http', protocol: 'http' as const, host, port: Number(port) }]
  await client.applyEntry({ tenant: 'integration', service: 'service-0' }, { endpoints })
}

async function startServer(
  kind: { readonly mode: Mode; readonly way: Way },
  upstream: string,
  { url: centerUrl, token }: Center,
): Promise<Server> {
  const child = startChild('./context-server.js', import.meta.url)
  const target = kind.mode === 'routed' ? 'http://service-0/' : upstream
  const { url } = await child.ask<{ readonly url: string }>({ ...kind, target, center: { url: centerUrl, token } })
  const baggage = upTo(TENANTS).map((index) => `a=1,tributary-tenant=tenant-${index}`)
  return { ...kind, child, loop: new ClosedLoop({ url, baggage, connections: CONNECTIONS }), rounds: [] }
}

async function compare(servers: readonly Server[]): Promise<void> {
  for (let turn = 0; turn < WARM_UP.turns; turn += 1) {
    for (const server of servers) await measure(server, WARM_UP.requests)
  }
  for (const round of upTo(ROUNDS)) {
    for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
      await server.loop.run(LEAD_IN)
      server.rounds.push(await measure(server, REQUESTS))
    }
  }
}

async function measure({ child, loop }: Server, requests: number): Promise<Round> {
  const before = await child.ask<{ readonly cpuSeconds: number }>({ cpu: true })
  const elapsedMs = await loop.run(requests)
  const after = await child.ask<{ readonly cpuSeconds: number }>({ cpu: true })
  return {
    perCpuSecond: requests / (after.cpuSeconds - before.cpuSeconds),
    perSecond: (requests / elapsedMs) * 1_000,
  }
}

function figures(way: Way, servers: readonly Server[]): Figure[] {
  const typical = (mode: Mode, what: keyof Round): number => {
    const processes = servers.filter((server) => server.mode === mode && server.way === way)
    const better = processes.map(({ rounds }) =>
      quantile(
        rounds.map((round) => round[what]),
        QUANTILE,
      ),
    )
    return quantile(better, MEDIAN)
  }
  const unit = 'requests per CPU second'
  const plain = { name: `plain fastify + undici`, value: typical('plain', 'perCpuSecond') }
  const forwarding = { name: 'the same, baggage sent on by hand', value: typical('forwarding', 'perCpuSecond') }
  const storage = { name: 'the same in a bare AsyncLocalStorage', value: typical('storage', 'perCpuSecond') }
  const routed = typical('routed', 'perCpuSecond')
  const target = {
    text: '>= 0.9 x the peer',
    holds: (_value: number, ratio: number | null) => ratio !== null && ratio >= 0.9,
  }
  return [
    { name: `hop by ${way}, middleware and dispatcher`, value: routed, unit, peer: plain, target },
    { name: `hop by ${way}, middleware and dispatcher`, value: routed, unit, peer: forwarding },
    { name: `hop by ${way}, middleware and dispatcher`, value: routed, unit, peer: storage },
    { name: `hop by ${way}, bare AsyncLocalStorage`, value: storage.value, unit, peer: plain },
    {
      name: `hop by ${way}, middleware and dispatcher`,
      value: typical('routed', 'perSecond'),
      unit: 'requests per second',
      peer: { name: plain.name, value: typical('plain', 'perSecond') },
    },
  ]
}
