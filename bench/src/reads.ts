import autocannon from 'autocannon'
import { startChild } from './child.js'
import type { Figure } from './result.js'
import { load, startSystem, tenantChanges, upTo } from './system.js'

const SECONDS = 8

/** Linearizable reads of a resolved view (10 services, two layers) over HTTP, 64 keep-alive connections, server on one core. */
export async function reads(): Promise<Figure[]> {
  const system = await startSystem()
  const floor = startChild('./http-floor-server.js', import.meta.url)
  try {
    await load(system.client, tenantChanges('integration', null, upTo(10)))
    await load(system.client, tenantChanges('feature-x', 'integration', upTo(3)))
    await system.client.applyDocument(
      { tenant: 'integration', service: 'service-0' },
      { pageSize: 20, currency: 'EUR' },
    )
    const url = `${system.url}/v1/tenants/feature-x/view?service=service-0`
    const headers = { authorization: `Bearer ${system.token}` }
    const body = await (await fetch(url, { headers })).text()
    const bare = await floor.ask<{ readonly url: string }>({ body })
    const ours = await requestsPerSecond(url, headers)
    const peer = await requestsPerSecond(bare.url, {})
    return [
      {
        name: `resolved-view reads (${body.length} bytes)`,
        value: ours,
        unit: 'reads/s',
        peer: { name: 'bare node:http, same bytes', value: peer },
        target: { text: '>= 10,000/s', holds: (value) => value >= 10_000 },
      },
    ]
  } finally {
    await floor.stop()
    await system.stop()
  }
}

async function requestsPerSecond(url: string, headers: Record<string, string>): Promise<number> {
  await autocannon({ url, headers, connections: 64, duration: 2 })
  const result = await autocannon({ url, headers, connections: 64, duration: SECONDS })
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${url}: ${result.non2xx + result.errors} reads failed`)
  return result.requests.average
}
