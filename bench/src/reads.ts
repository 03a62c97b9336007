import autocannon from 'autocannon'
import { startChild } from './child.js'
import { etcdClient, etcdMissing, startEtcd } from './etcd-process.js'
import type { Figure } from './result.js'
import { load, startSystem, tenantChanges, upTo } from './system.js'

const SECONDS = 8
const CONNECTIONS = 64
const CONFIG = { pageSize: 20, currency: 'EUR' }

/** Linearizable reads of a resolved view (10 services, two layers) over HTTP, 64 keep-alive connections, server on one core. */
export async function reads(): Promise<Figure[]> {
  const system = await startSystem()
  const floor = startChild('./http-floor-server.js', import.meta.url)
  try {
    await load(system.client, tenantChanges('integration', null, upTo(10)))
    await load(system.client, tenantChanges('feature-x', 'integration', upTo(3)))
    await system.client.applyDocument({ tenant: 'integration', service: 'service-0' }, CONFIG)
    const url = `${system.url}/v1/tenants/feature-x/view?service=service-0`
    const headers = { authorization: `Bearer ${system.token}` }
    const body = await (await fetch(url, { headers })).text()
    const bare = await floor.ask<{ readonly url: string }>({ body })
    const ours = await requestsPerSecond(url, headers)
    const peer = await requestsPerSecond(bare.url, {})
    const figure = { name: `resolved-view reads (${body.length} bytes)`, value: ours, unit: 'reads/s' }
    const etcd = await readsThroughEtcd()
    return [
      {
        ...figure,
        peer: { name: 'bare node:http, same bytes', value: peer },
        target: { text: '>= 10,000/s', holds: (value) => value >= 10_000 },
      },
      ...(etcd === undefined
        ? []
        : [{ ...figure, peer: { name: 'two etcd ranges and a merge', value: etcd }, target: AHEAD }]),
    ]
  } finally {
    await floor.stop()
    await system.stop()
  }
}

const AHEAD = { text: '> 1 x', holds: (_value: number, ratio: number | null) => (ratio ?? 0) > 1 }

async function requestsPerSecond(url: string, headers: Record<string, string>): Promise<number> {
  await autocannon({ url, headers, connections: CONNECTIONS, duration: 2 })
  const result = await autocannon({ url, headers, connections: CONNECTIONS, duration: SECONDS })
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${url}: ${result.non2xx + result.errors} reads failed`)
  return result.requests.average
}

/** The same view by a program that reads its layers from etcd and merges them; undefined when etcd is not here. */
async function readsThroughEtcd(): Promise<number | undefined> {
  const reason = etcdMissing()
  if (reason !== undefined) {
    process.stderr.write(`reads: two etcd ranges not measured: ${reason}\n`)
    return undefined
  }
  const server = await startEtcd()
  const reader = startChild('./etcd-reads-client.js', import.meta.url)
  try {
    await fillEtcd(server.port)
    const layers = ['bench/feature-x/', 'bench/integration/']
    const load = { port: server.port, layers, concurrency: CONNECTIONS, seconds: SECONDS }
    return (await reader.ask<{ readonly readsPerSecond: number }>(load)).readsPerSecond
  } finally {
    await reader.stop()
    await server.stop()
  }
}

async function fillEtcd(port: number): Promise<void> {
  const client = etcdClient(port)
  const changes = [
    ...tenantChanges('integration', null, upTo(10)),
    ...tenantChanges('feature-x', 'integration', upTo(3)),
  ]
  for (const change of changes) {
    if (change.op !== 'apply-entry') continue
    await client.put(`bench/${change.tenant}/service/${change.service}`).value(JSON.stringify(change.spec))
  }
  await client.put('bench/integration/config/service-0').value(JSON.stringify(CONFIG))
  client.close()
}
