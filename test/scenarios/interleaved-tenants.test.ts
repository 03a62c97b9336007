import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from '@tributary/testkit'
import { Agent } from 'undici'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { loopback, runConfigCenter, type RunningConfigCenter } from '../support/config-center.js'
import { waitFor } from '../support/wait-for.js'

const TENANTS = Array.from({ length: 20 }, (_, index) => `feature-${index}`)
/** Three services that only integration has, and one that every environment has. */
const BASELINE = ['first', 'second', 'third'] as const
const LEAF = 'leaf'
/** first, second, third, leaf. */
const CALLS_PER_REQUEST = 4
const AT_ONCE = 120
/** A request that takes longer hangs. */
const STALLED_MS = 60_000
/** They take a minute of a core; it is each request that must not take long, whatever else the machine does. */
const ALL_CALLS = { timeout: 600_000 }

interface Outcome {
  readonly right: number
  /** Answered by another environment than the one that asked. */
  readonly crossed: number
  /** Answered by integration: somewhere on the way the tenant was lost. */
  readonly lost: number
  /** Copies of the leaf that were called. */
  readonly leafCalls: number
}

let center: RunningConfigCenter
let children: ChildProcess[] = []
const leaves: Server[] = []
let leafCalls = 0

beforeAll(async () => {
  await ensureBuilt('sdk')
  center = await runConfigCenter()
  await center.admin.applyTenant('integration', { base: null })
  for (const tenant of ['integration', ...TENANTS]) {
    if (tenant !== 'integration') await center.admin.applyTenant(tenant, { base: 'integration' })
    await center.admin.applyEntry({ tenant, service: LEAF }, { endpoints: [loopback(await startLeaf(tenant))] })
  }
}, 180_000)
afterEach(async () => {
  await Promise.all(children.map(stop))
  children = []
})
afterAll(async () => {
  for (const leaf of leaves) {
    leaf.closeAllConnections()
    leaf.close()
  }
  await center?.stop()
})

/** A tenant's copy of the leaf: it says whose it is, and which tenant the call bore. */
async function startLeaf(tenant: string): Promise<number> {
  const server = createServer((request, response) => {
    leafCalls += 1
    request.resume().on('end', () => response.end(`${tenant} ${String(request.headers['baggage'])}`))
  })
  leaves.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function startBaseline(forget = ''): Promise<string> {
  const program = fileURLToPath(new URL('baseline-service.mjs', import.meta.url))
  const ports: number[] = []
  for (const [index, service] of BASELINE.entries()) {
    const env = {
      PATH: process.env['PATH'] ?? '',
      NEXT: BASELINE[index + 1] ?? LEAF,
      FORGET: service === 'second' ? forget : '',
      ...(await center.environmentOf('integration', service)),
    }
    const child = fork(program, [], { env, execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    children.push(child)
    const [{ port }] = (await once(child, 'message')) as [{ readonly port: number }]
    ports.push(port)
    const endpoints = [loopback(port)]
    await center.admin.applyEntry({ tenant: 'integration', service }, { endpoints }, { waitMs: 10_000 })
  }
  return `http://127.0.0.1:${ports[0]}`
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const exited = once(child, 'exit')
  child.disconnect()
  await exited
}

/** Sends requests of all tenants in turns, many at once, and counts who has answered. */
async function play(origin: string, requests: number): Promise<Outcome> {
  const agent = new Agent({ connections: AT_ONCE, headersTimeout: STALLED_MS, bodyTimeout: STALLED_MS })
  const counts = { right: 0, crossed: 0, lost: 0 }
  leafCalls = 0
  let next = 0
  const worker = async (): Promise<void> => {
    for (let id = next++; id < requests; id = next++) {
      const tenant = TENANTS[id % TENANTS.length] ?? ''
      const headers = { baggage: `id=${id},tributary-tenant=${tenant}` }
      const { statusCode, body } = await agent.request({
        origin,
        path: `/?id=${id}`,
        method: 'POST',
        body: 'x',
        headers,
      })
      const answer = await body.text()
      if (statusCode !== 200) throw new Error(`request ${id} is answered ${statusCode}`)
      if (answer === `${tenant} tributary-tenant=${tenant},id=${id}`) counts.right += 1
      else if (answer.startsWith('integration ')) counts.lost += 1
      else counts.crossed += 1
    }
  }
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
  } finally {
    await agent.close()
  }
  return { ...counts, leafCalls }
}

describe('twenty tenants through three baseline processes', () => {
  it('have 100,000 calls interleaved, none crossed and none lost', ALL_CALLS, async () => {
    const requests = 100_000 / CALLS_PER_REQUEST
    const outcome = await play(await startBaseline(), requests)
    expect(outcome).toEqual({ right: requests, crossed: 0, lost: 0, leafCalls: requests })
  })

  it('are mixed up as soon as one process forgets one propagation, and this test sees it', async () => {
    const { right, crossed, lost } = await play(await startBaseline('bind'), 2_000)
    expect(right + crossed + lost).toBe(2_000)
    expect(crossed).toBeGreaterThan(0)
  })

  it('are lost as soon as one process makes calls outside of their requests, and the leak counter names the edge', async () => {
    const { right, crossed, lost } = await play(await startBaseline('pool'), 2_000)
    expect([right + lost, crossed]).toEqual([2_000, 0])
    expect(lost).toBeGreaterThan(0)
    const { leaks } = await waitFor('the lost calls to be reported', async () => {
      const found = await center.admin.listLeaks()
      return found.leaks.reduce((sum, { count }) => sum + count, 0) >= lost && found
    })
    expect(new Set(leaks.map(({ from, to }) => `${from} -> ${to}`))).toEqual(new Set(['second -> third']))
  })
})
