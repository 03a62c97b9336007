import autocannon from 'autocannon'
import { startChild, type Child } from './child.js'
import type { Mode } from './context-server.js'
import type { Figure } from './result.js'
import { load, startSystem, tenantChanges, upTo } from './system.js'

const MODES = ['plain', 'storage', 'routed'] as const
const ROUNDS = 9
const REQUESTS = 4_000
const TENANTS = 20

interface Server {
  readonly url: string
  readonly child: Child
}

/**
 * A service that calls a service: fastify and undici as they are, and with the middleware and the dispatcher. Requests for each second of
 * the service's processor time are counted, because it is the service that pays; wall time would measure the neighbours on the machine.
 */
export async function context(): Promise<Figure[]> {
  const system = await startSystem()
  const floor = startChild('./http-floor-server.js', import.meta.url)
  const children = new Map<Mode, Child>()
  try {
    const { url: upstream } = await floor.ask<{ readonly url: string }>({ body: 'x'.repeat(200) })
    await fill(system.client, new URL(upstream))
    const servers = new Map<Mode, Server>()
    for (const mode of MODES) {
      const child = startChild('./context-server.js', import.meta.url)
      children.set(mode, child)
      const target = mode === 'routed' ? 'http://service-0/' : upstream
      const center = { url: system.url, token: system.token }
      servers.set(mode, { child, ...(await child.ask<{ readonly url: string }>({ mode, target, center })) })
    }
    return figures(await compare(servers))
  } finally {
    await Promise.all([floor, ...children.values()].map((child) => child.stop()))
    await system.stop()
  }
}

async function fill(client: Parameters<typeof load>[0], { hostname: host, port }: URL): Promise<void> {
  await load(client, tenantChanges('integration', null, upTo(50)))
  for (const index of upTo(TENANTS)) await load(client, tenantChanges(`tenant-${index}`, 'integration', [10 + index]))
  const endpoints = [{ name: 'http', protocol: 'http' as const, host, port: Number(port) }]
  await client.applyEntry({ tenant: 'integration', service: 'service-0' }, { endpoints })
}

/** The servers are loaded in turns, so that whatever else the machine does meets all of them. */
async function compare(servers: ReadonlyMap<Mode, Server>): Promise<Record<Mode, number>> {
  const rates: Record<Mode, number[]> = { plain: [], storage: [], routed: [] }
  for (const server of servers.values()) await requestsPerCpuSecond(server)
  for (const round of upTo(ROUNDS)) {
    for (const [mode, server] of round % 2 === 0 ? servers : [...servers].reverse()) {
      rates[mode].push(await requestsPerCpuSecond(server))
    }
  }
  return { plain: best(rates.plain), storage: best(rates.storage), routed: best(rates.routed) }
}

async function requestsPerCpuSecond({ url, child }: Server): Promise<number> {
  const requests = upTo(TENANTS).map((index) => ({ headers: { baggage: `a=1,tributary-tenant=tenant-${index}` } }))
  const before = await child.ask<{ readonly cpuSeconds: number }>({ cpu: true })
  const result = await autocannon({ url, connections: 32, amount: REQUESTS, requests })
  const after = await child.ask<{ readonly cpuSeconds: number }>({ cpu: true })
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url}: ${result.non2xx + result.errors} requests failed`)
  return REQUESTS / (after.cpuSeconds - before.cpuSeconds)
}

/** The best round: the others tell about caches and clocks that the neighbours took. */
function best(rates: readonly number[]): number {
  return Math.max(...rates)
}

function figures({ plain, storage, routed }: Readonly<Record<Mode, number>>): Figure[] {
  const unit = 'requests per CPU second'
  const peer = { name: 'plain fastify + undici', value: plain }
  const target = {
    text: '>= 0.9 x the peer',
    holds: (_value: number, ratio: number | null) => ratio !== null && ratio >= 0.9,
  }
  return [
    { name: 'one hop with middleware and dispatcher', value: routed, unit, peer, target },
    { name: 'one hop in a bare AsyncLocalStorage', value: storage, unit, peer },
  ]
}
