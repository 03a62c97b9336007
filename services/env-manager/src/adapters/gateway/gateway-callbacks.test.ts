import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CALLBACK_SEGMENT } from '@tributary/contract'
import { createContextKey, parseContextKeys, signContext, type ContextClaims } from '@tributary/contract/context-token'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createLocalGateway, type LocalGateway } from './local-gateway.js'

const keys = keysOf(createContextKey())
const nowSeconds = Math.floor(Date.now() / 1000)
const live: ContextClaims = {
  tenant: 'feature-x',
  issuedAt: nowSeconds,
  expiresAt: nowSeconds + 60,
  avoidsBaseline: true,
}

let gateway: LocalGateway
let servers: Server[]
let tenants: Map<string, boolean | undefined>
let ports: Map<string, number>

function keysOf(text: string) {
  const parsed = parseContextKeys(text)
  if (parsed === undefined) throw new Error('the key is wrong')
  return parsed
}

/** A copy of orders that answers who it is and what it saw. */
async function serveOrders(owner: string): Promise<void> {
  const server = createServer((request, response) => {
    response.end(
      JSON.stringify({ owner, url: request.url, baggage: request.headers['baggage'], method: request.method }),
    )
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ports.set(owner, (server.address() as AddressInfo).port)
}

beforeEach(async () => {
  servers = []
  ports = new Map()
  tenants = new Map([
    ['integration', true],
    ['feature-x', true],
  ])
  await serveOrders('integration')
  await serveOrders('feature-x')
  gateway = createLocalGateway({
    host: '127.0.0.1',
    port: 0,
    callbacks: { keys, hasTenant: (name) => (tenants.has(name) ? tenants.get(name) : false) },
    resolve: (_service, environment) => {
      const owner = ports.has(environment) ? environment : 'integration'
      const endpoint = { name: 'http', protocol: 'http', host: '127.0.0.1', port: ports.get(owner) ?? 0 } as const
      return { state: owner === environment ? 'own' : 'inherited', owner, endpoint }
    },
    listServices: () => [],
  })
  await gateway.start()
  await gateway.apply('integration')
  await gateway.apply('feature-x')
})

afterEach(async () => {
  await gateway.close()
  for (const server of servers) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

function targetOf(claims: ContextClaims = live, path = '/paid'): string {
  const token = signContext(keys, claims, { purpose: 'callback', boundTo: ['orders', path] })
  return `/orders/${CALLBACK_SEGMENT}/${token}${path}`
}

async function ask(
  path: string,
  more: { readonly method?: string; readonly accept?: string; readonly host?: string } = {},
) {
  const headers = { host: more.host ?? 'integration.localhost', ...(more.accept ? { accept: more.accept } : {}) }
  const options = { host: '127.0.0.1', port: gateway.port, path, method: more.method ?? 'POST', headers, agent: false }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest(options, resolve).once('error', reject).end()
  })
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return { status: response.statusCode, text, location: response.headers.location }
}

const codeOf = (text: string): unknown => JSON.parse(text).error.code

describe('a callback at the gateway', () => {
  test('reaches the environment that made its URL, without the token and with the context', async () => {
    const { text } = await ask(`${targetOf()}?status=ok`)
    expect(JSON.parse(text)).toMatchObject({
      owner: 'feature-x',
      url: '/paid?status=ok',
      baggage: 'tributary-tenant=feature-x',
      method: 'POST',
    })
  })

  test('sends a browser to its environment, so that what it asks next is asked there', async () => {
    const { status, location } = await ask(`${targetOf()}?code=1`, { method: 'GET', accept: 'text/html,*/*' })
    expect([status, location]).toEqual([307, `http://feature-x.localhost:${gateway.port}/orders/paid?code=1`])
  })

  test('is the baseline’s when the baseline made it', async () => {
    const { text } = await ask(targetOf({ ...live, tenant: null, avoidsBaseline: false }))
    expect(JSON.parse(text)).toMatchObject({ owner: 'integration', url: '/paid' })
  })

  test('gets 410 when its environment is gone', async () => {
    await gateway.remove('feature-x')
    tenants.delete('feature-x')
    const { status, text } = await ask(targetOf())
    expect([status, codeOf(text)]).toEqual([410, 'GATEWAY_CALLBACK_GONE'])
    expect(text).toContain('the environment feature-x is gone')
  })

  test('gets 410 when the environment has lost its own copy, and never the baseline’s', async () => {
    ports.delete('feature-x')
    const { status, text } = await ask(targetOf())
    expect([status, codeOf(text)]).toEqual([410, 'GATEWAY_CALLBACK_GONE'])
    const inherited = await ask(targetOf({ ...live, avoidsBaseline: false }))
    expect(JSON.parse(inherited.text)).toMatchObject({ owner: 'integration', baggage: 'tributary-tenant=feature-x' })
  })

  test('is to be tried again while nobody can tell, or the environment is not served yet', async () => {
    tenants.set('feature-x', undefined)
    expect((await ask(targetOf())).status).toBe(502)
    tenants.set('feature-x', true)
    await gateway.remove('feature-x')
    const { status, text } = await ask(targetOf())
    expect([status, codeOf(text)]).toEqual([502, 'GATEWAY_CALLBACK_UNDECIDED'])
  })

  test('gets 410 when it has expired', async () => {
    const { status, text } = await ask(targetOf({ ...live, expiresAt: nowSeconds - 61 }))
    expect([status, codeOf(text)]).toEqual([410, 'GATEWAY_CALLBACK_EXPIRED'])
  })

  test.each([
    ['for another path', () => targetOf().replace('/paid', '/refund')],
    ['for another service', () => targetOf().replace('/orders/', '/mail/')],
    ['with a changed token', () => targetOf().replace('t1.', 't1.x')],
    ['without a token', () => `/orders/${CALLBACK_SEGMENT}//paid`],
  ])('gets 403 %s', async (_title, target) => {
    const { status, text } = await ask(target())
    expect([status, codeOf(text)]).toEqual([403, 'GATEWAY_CALLBACK_FORGED'])
  })
})
