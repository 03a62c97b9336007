import { createServer, type Server } from 'node:http'
import fastify, { type FastifyInstance } from 'fastify'
import { eventually } from '@tributary/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connect } from '../connect.js'
import { FakeConfigCenter, servedAt } from '../fake-config-center.test-support.js'
import { tributaryHealth } from '../fastify.js'
import type { Tributary } from '../tributary.js'
import { createHealthHandler } from './health-handler.js'

let center: FakeConfigCenter
let dependency: Server
let client: Tributary
let app: FastifyInstance
let plain: Server

beforeEach(async () => {
  center = new FakeConfigCenter()
  await center.start()
  dependency = createServer()
  const port = await listen(dependency)
  center.seed({ 'service/up': servedAt('integration', port, 'inherited'), 'service/down': servedAt('feature-x', 1) })
  client = await connect(center.options({ dependsOn: ['up'] }))
  app = fastify()
  await app.register(tributaryHealth, { client })
  const handle = createHealthHandler(client, { isReady: () => true })
  plain = createServer((request, response) => {
    if (!handle(request, response)) response.writeHead(418).end()
  })
  await listen(plain)
})

afterEach(async () => {
  await client.close()
  await app.close()
  for (const server of [dependency, plain]) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  await center.stop()
})

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return portOf(server)
}

function portOf(server: Server): number {
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('not listening')
  return address.port
}

async function ask(path: string, method = 'GET'): Promise<{ status: number; text: string }> {
  const answer = await fetch(`http://127.0.0.1:${portOf(plain)}${path}`, { method })
  return { status: answer.status, text: await answer.text() }
}

describe('the health endpoints', () => {
  it('say alive, ready and well', async () => {
    expect((await app.inject('/healthz')).json()).toEqual({ status: 'ok' })
    const ready = await app.inject('/readyz')
    expect(ready.statusCode).toBe(200)
    expect(ready.json()).toMatchObject({ ready: true, state: 'READY', appliedRevision: '1' })
    const well = await app.inject('/selfcheck')
    expect(well.statusCode).toBe(200)
    expect(well.json()).toMatchObject({
      ok: true,
      tenant: 'feature-x',
      service: 'a',
      dependencies: [{ service: 'up', owner: 'integration', reachable: true }],
    })
  })

  it('stay ready while STALE, because the last view serves', async () => {
    await center.stop()
    await eventually(() => expect(client.status.state).toBe('STALE'))
    const ready = await app.inject('/readyz')
    expect(ready.statusCode).toBe(200)
    expect(ready.json()).toMatchObject({ state: 'STALE' })
  })

  it('are not ready without a view', async () => {
    const empty = await connect(center.options({ url: 'http://127.0.0.1:1', readyTimeoutMs: 5 }))
    const other = fastify()
    await other.register(tributaryHealth, { client: empty })
    expect((await other.inject('/readyz')).statusCode).toBe(503)
    expect((await other.inject('/healthz')).statusCode).toBe(200)
    expect((await other.inject('/selfcheck')).statusCode).toBe(503)
    await Promise.all([empty.close(), other.close()])
  })

  it('are not ready when the program says no or fails to say', async () => {
    for (const isReady of [() => false, () => Promise.reject(new Error('no'))]) {
      const other = fastify()
      await other.register(tributaryHealth, { client, isReady })
      expect((await other.inject('/readyz')).statusCode).toBe(503)
      await other.close()
    }
  })

  it('name the dependency that cannot be reached, is masked or missing', async () => {
    center.publish({ 'service/dark': { state: 'masked', owner: 'feature-x', endpoints: [] } })
    await eventually(() => expect(client.appliedRevision).toBe('2'))
    for (const name of ['down', 'dark', 'absent']) client.resolve(name)
    const other = await connect(center.options({ dependsOn: ['up', 'down', 'dark', 'absent'] }))
    const found = await other.selfCheck({ timeoutMs: 500 })
    await other.close()
    expect(found.ok).toBe(false)
    expect(found.dependencies.map(({ service, state, reachable }) => [service, state, reachable])).toEqual([
      ['up', 'inherited', true],
      ['down', 'own', false],
      ['dark', 'masked', false],
      ['absent', 'missing', false],
    ])
    expect(found.dependencies[1]?.endpoints[0]?.problem).toContain('ECONNREFUSED')
  })

  it('check what was resolved when no dependencies were named', async () => {
    const other = await connect(center.options())
    other.resolve('up')
    other.resolve('absent')
    expect((await other.selfCheck()).dependencies.map(({ service }) => service)).toEqual(['up'])
    await other.close()
  })

  it('are answered on plain node:http, and nothing else is touched', async () => {
    expect(await ask('/healthz?x=1')).toEqual({ status: 200, text: '{"status":"ok"}' })
    expect((await ask('/readyz')).status).toBe(200)
    expect((await ask('/selfcheck')).status).toBe(200)
    expect(await ask('/readyz', 'HEAD')).toEqual({ status: 200, text: '' })
    expect((await ask('/healthz', 'POST')).status).toBe(418)
    expect((await ask('/orders')).status).toBe(418)
  })
})
