// oxlint-disable unicorn/require-post-message-target-origin -- threads are no windows: they have no origin
import { AsyncResource } from 'node:async_hooks'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Worker } from 'node:worker_threads'
import { connect, withRoutingContext, type Tributary } from '@tributary/sdk'
import { ensureBuilt } from '@tributary/testkit'
import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loopback, runConfigCenter, type RunningConfigCenter } from '../support/config-center.js'

const TENANTS = ['integration', 'feature-x', 'feature-y'] as const

interface Done {
  readonly id: number
  readonly answer: string
}

let center: RunningConfigCenter
let client: Tributary
let worker: Worker
let shared: string
const servers: Server[] = []
const waiting = new Map<number, (answer: string) => void>()

/** `stock` of every tenant, and a shared `reports` that lets a worker thread call it. */
beforeAll(async () => {
  await ensureBuilt('sdk')
  center = await runConfigCenter()
  await center.admin.applyTenant('integration', { base: null })
  for (const tenant of TENANTS) {
    if (tenant !== 'integration') await center.admin.applyTenant(tenant, { base: 'integration' })
    const port = await listen(
      createServer((incoming, response) => response.end(`${tenant} ${String(incoming.headers['baggage'])}`)),
    )
    await center.admin.applyEntry({ tenant, service: 'stock' }, { endpoints: [loopback(port)] })
  }
  const env = await center.environmentOf('integration', 'reports')
  client = await connect({ env, require: 'ready' })
  worker = new Worker(new URL('worker-thread.mjs', import.meta.url), { workerData: env, execArgv: [] })
  await once(worker, 'message')
  worker.on('message', ({ id, answer }: Done) => waiting.get(id)?.(answer))
  shared = `http://127.0.0.1:${await listen(createServer(reports()))}`
}, 180_000)
afterAll(async () => {
  const ended = once(worker, 'exit')
  worker.postMessage('end')
  await ended
  await client.close()
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  await center.stop()
})

async function listen(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** Hands each request's work to the thread, and answers with what that got and what its own code sees afterwards. */
function reports() {
  let last = 0
  return withRoutingContext(client, (_incoming, response) => {
    last += 1
    const finish = (answer: string): void => void response.end(`${answer} | ${client.messages.baggage() ?? 'none'}`)
    waiting.set(last, AsyncResource.bind(finish))
    worker.postMessage({ id: last, url: 'http://stock/', baggage: client.messages.baggage() })
  })
}

describe('a worker thread that works for many tenants', () => {
  it('calls the copies of each request’s tenant, and its answers find back into the request', async () => {
    const tenants = Array.from({ length: 300 }, (_, index) => TENANTS[index % 3] ?? '')
    const answers = await Promise.all(
      tenants.map(async (tenant, index) => {
        const { body } = await request(shared, { headers: { baggage: `id=${index},tributary-tenant=${tenant}` } })
        return body.text()
      }),
    )
    const header = (tenant: string, index: number): string => `tributary-tenant=${tenant},id=${index}`
    expect(answers).toEqual(
      tenants.map((tenant, index) => `${tenant} ${header(tenant, index)} | ${header(tenant, index)}`),
    )
  })

  it('calls those of the baseline for a request of none, and says nothing of a tenant', async () => {
    const { body } = await request(shared)
    expect(await body.text()).toBe('integration undefined | none')
  })
})
