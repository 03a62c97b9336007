import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, createServer, request, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { CALLBACK_SEGMENT } from '@tributary/contract'
import { createContextKey, parseContextKeys, signContext } from '@tributary/contract/context-token'
import { readGatewayConfig, startGateway, type RunningGateway } from '@tributary/env-manager'
import { eventually } from '@tributary/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loopback, runConfigCenter, type RunningConfigCenter } from '../support/config-center.js'

const contextKey = createContextKey()

let center: RunningConfigCenter
let folder: string
let variables: Record<string, string>
let gateway: RunningGateway | undefined
const servers = new Set<Server>()

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tributary-gateway-'))
  center = await runConfigCenter()
  const { token } = await center.admin.createToken({ name: 'gateway', role: 'viewer' })
  await writeFile(path.join(folder, 'token'), token)
  await writeFile(path.join(folder, 'key'), `${contextKey}\n`)
  variables = {
    TRIBUTARY_PREVIEW_URL: 'https://{environment}.preview.example.com',
    TRIBUTARY_URL: center.url,
    TRIBUTARY_TOKEN_FILE: path.join(folder, 'token'),
    TRIBUTARY_CONTEXT_KEY_FILE: path.join(folder, 'key'),
    TRIBUTARY_SNAPSHOT_DIR: folder,
    TRIBUTARY_PORT: '0',
    TRIBUTARY_HEALTH_PORT: '0',
    TRIBUTARY_DRAIN_DELAY_SECONDS: '0',
  }
})

afterEach(async () => {
  await gateway?.stop()
  gateway = undefined
  for (const server of servers) server.closeAllConnections()
  for (const server of servers) server.close()
  servers.clear()
  await center.stop()
  await rm(folder, { recursive: true, force: true })
})

async function start(more: Record<string, string> = {}): Promise<RunningGateway> {
  gateway = await startGateway(readGatewayConfig({ ...variables, ...more }), { onError: () => undefined })
  return gateway
}

/** A service that tells what it saw, and holds `/slow` until it is told. */
async function serve(owner: string): Promise<{ port: number; release: () => void }> {
  let release: () => void = () => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  const server = createServer((incoming, response) => {
    const answer = (): void =>
      void response.end(JSON.stringify({ owner, url: incoming.url, headers: incoming.headers }))
    if (incoming.url === '/slow') void released.then(answer)
    else answer()
  })
  servers.add(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, release }
}

/** integration owns orders and stock; feature-x owns orders. */
async function shop(): Promise<Awaited<ReturnType<typeof serve>>> {
  const own = await serve('feature-x')
  const shared = await serve('integration')
  await center.admin.applyTenant('integration', { base: null })
  await center.admin.applyTenant('feature-x', {})
  for (const [tenant, service, port] of [
    ['integration', 'orders', shared.port],
    ['integration', 'stock', shared.port],
    ['feature-x', 'orders', own.port],
  ] as const) {
    await center.admin.applyEntry({ tenant, service }, { endpoints: [loopback(port)] })
  }
  return own
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: {
    owner?: string
    url?: string
    headers?: IncomingHttpHeaders
    error?: { code: string; details: object }
  }
}

function ask(host: string, target: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port: gateway?.port, path: target, headers: { host, ...headers }, agent: false },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.once('end', () => {
          const body = JSON.parse(text === '' ? '{}' : text) as Answer['body']
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
        })
      },
    )
    outgoing.once('error', reject).end()
  })
}

async function readiness(): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${gateway?.healthPort}/readyz`)
  await response.body?.cancel()
  return response.status
}

const X = 'feature-x.preview.example.com'

describe('the gateway as a process of its own', () => {
  it('leads to who answers in the environment of the host, and says so to the service alone', async () => {
    await shop()
    await start()
    expect(await readiness()).toBe(200)
    const claims = {
      baggage: 'tributary-tenant=integration,user=7',
      'x-forwarded-proto': 'http',
      'x-forwarded-for': '6.6.6.6',
    }
    const own = await ask(X, '/orders/a?b', claims)
    expect([own.body.owner, own.body.url]).toEqual(['feature-x', '/a?b'])
    expect(own.body.headers).toMatchObject({
      baggage: 'tributary-tenant=feature-x,user=7',
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': X,
    })
    expect((await ask(X, '/stock/')).body.owner).toBe('integration')
  })

  it('refuses other hosts, and names no environments to strangers', async () => {
    await shop()
    await start()
    expect((await ask('feature-x.localhost', '/orders/')).body.error?.code).toBe('GATEWAY_HOST_INVALID')
    const unknown = await ask('feature-y.preview.example.com', '/orders/')
    expect([unknown.status, unknown.body.error]).toMatchObject([
      404,
      { code: 'GATEWAY_ENVIRONMENT_UNKNOWN', details: {} },
    ])
    expect(JSON.stringify(unknown.body)).not.toContain('feature-x')
  })

  it('serves an environment from the moment that it is registered until it is gone', async () => {
    await shop()
    await start()
    await center.admin.applyTenant('feature-y', {})
    await eventually(async () => expect((await ask('feature-y.preview.example.com', '/stock/')).status).toBe(200))
    await center.admin.deleteTenant('feature-y')
    await eventually(async () => expect((await ask('feature-y.preview.example.com', '/stock/')).status).toBe(404))
  })

  it('leads callbacks to the environment that made them', async () => {
    await shop()
    await start()
    const keys = parseContextKeys(contextKey)
    if (keys === undefined) throw new Error('the key is wrong')
    const nowSeconds = Math.floor(Date.now() / 1_000)
    const claims = { tenant: 'feature-x', issuedAt: nowSeconds, expiresAt: nowSeconds + 60, avoidsBaseline: true }
    const token = signContext(keys, claims, { purpose: 'callback', boundTo: ['orders', '/done'] })
    const answer = await ask('integration.preview.example.com', `/orders/${CALLBACK_SEGMENT}/${token}/done`)
    expect([answer.body.owner, answer.body.url]).toEqual(['feature-x', '/done'])
  })

  it('is ready in a new installation, and serves integration as soon as it is there', async () => {
    await start()
    expect(await readiness()).toBe(200)
    await shop()
    await eventually(async () => expect((await ask(X, '/orders/')).status).toBe(200), { timeoutMs: 30_000 })
  })

  it('is not ready with a token that the config center refuses', async () => {
    await shop()
    await writeFile(path.join(folder, 'token'), `trb_0123456789abcdef_${'A'.repeat(43)}`)
    await start()
    expect(await readiness()).toBe(503)
  })

  it('serves what it knew when it starts again while the config center is down', async () => {
    await shop()
    await start()
    await eventually(async () => expect((await ask(X, '/orders/')).status).toBe(200))
    await gateway?.stop()
    await center.stop()
    await start()
    expect(await readiness()).toBe(200)
    expect((await ask(X, '/orders/')).body.owner).toBe('feature-x')
    center = await runConfigCenter()
  })

  it('finishes requests when it stops, and takes no new ones', async () => {
    const { release } = await shop()
    const { stop, port } = await start()
    const slow = ask(X, '/orders/slow')
    await ask(X, '/orders/')
    const stopped = stop()
    await eventually(async () => {
      await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow()
    })
    release()
    const answer = await slow
    expect([answer.status, answer.body.owner]).toEqual([200, 'feature-x'])
    await stopped
    gateway = undefined
  })

  it('takes new connections for a while after it was told to stop, because balancers learn of it late', async () => {
    await shop()
    const { stop } = await start({ TRIBUTARY_DRAIN_DELAY_SECONDS: '1' })
    const stopped = stop()
    expect(await readiness()).toBe(503)
    expect((await ask(X, '/orders/')).status).toBe(200)
    await stopped
    await expect(ask(X, '/orders/')).rejects.toThrow()
    gateway = undefined
  })

  it('lets no client keep its connection once it was told to stop: it would be cut when it is used again', async () => {
    await shop()
    const { stop, port } = await start({ TRIBUTARY_DRAIN_DELAY_SECONDS: '1' })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const connectionOf = (): Promise<string | undefined> =>
      new Promise((resolve, reject) => {
        const options = { host: '127.0.0.1', port, path: '/orders/', headers: { host: X }, agent }
        const outgoing = request(options, (response) => {
          response.resume()
          response.once('end', () => resolve(response.headers.connection))
        })
        outgoing.once('error', reject).end()
      })
    expect(await connectionOf()).toBe('keep-alive')
    const stopped = stop()
    expect(await connectionOf()).toBe('close')
    await stopped
    agent.destroy()
    gateway = undefined
  })

  it('counts its answers', async () => {
    await shop()
    await start()
    await ask(X, '/orders/')
    await ask(X, '/nothing/')
    const metrics = await (await fetch(`http://127.0.0.1:${gateway?.healthPort}/metrics`)).text()
    expect(metrics).toContain('tributary_gateway_requests_total{status="2xx"} 1')
    expect(metrics).toContain('tributary_gateway_requests_total{status="4xx"} 1')
    expect(metrics).toContain('tributary_gateway_route_table_live 1')
  })
})

describe('the gateway’s configuration', () => {
  it('is refused with everything that is wrong at once', () => {
    const wrong = {
      TRIBUTARY_PREVIEW_URL: 'https://preview.example.com',
      TRIBUTARY_PORT: '70000',
      TRIBUTARY_CONTEXT_KEY_FILE: '/none',
    }
    expect(() => readGatewayConfig(wrong)).toThrow(
      /TRIBUTARY_CONTEXT_KEY_FILE.*TRIBUTARY_PORT.*TRIBUTARY_PREVIEW_URL must be like/s,
    )
  })
})
