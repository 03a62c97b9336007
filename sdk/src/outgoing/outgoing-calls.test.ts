import { get, request as httpRequest } from 'node:http'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import axios from 'axios'
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import { Agent, fetch as undiciFetch, interceptors, request, type Dispatcher } from 'undici'
import { runWithContext, runWithTenant } from '../context/routing-context.js'
import type { Tributary } from '../tributary.js'
import { createDispatcher, install } from '../undici.js'
import { Fleet, type Echo } from './fleet.test-support.js'
import { createAgents, type RoutingAgents } from './node-agents.js'

let fleet: Fleet
let client: Tributary
let dispatcher: Dispatcher
let agents: RoutingAgents
let uninstall: () => Promise<void>

beforeEach(async () => {
  fleet = new Fleet()
  await fleet.start([
    'integration/orders',
    'integration/payments',
    'feature-x/orders',
    'feature-y/orders',
    'feature-x/only-x',
    'outside',
  ])
  client = await fleet.client()
  dispatcher = createDispatcher(client)
  agents = createAgents(client)
  uninstall = install(client)
})
afterEach(async () => {
  await uninstall()
  await dispatcher.close()
  agents.httpAgent.destroy()
  await fleet.stop()
})

type Call = (url: string, headers?: Record<string, string>) => Promise<Echo>

/** Every way to call that is supported, following redirects where the library can. */
const WAYS: Readonly<Record<string, Call>> = {
  'global fetch': async (url, headers = {}) => (await (await fetch(url, { headers })).json()) as Echo,
  'fetch of undici': async (url, headers = {}) =>
    (await (await undiciFetch(url, { headers, dispatcher })).json()) as Echo,
  'request of undici': async (url, headers = {}) => {
    const following = dispatcher.compose(interceptors.redirect({ maxRedirections: 3 }))
    return (await (await request(url, { headers, dispatcher: following })).body.json()) as Echo
  },
  axios: async (url, headers = {}) => (await axios.get<Echo>(url, { headers, ...agents, proxy: false })).data,
  'node:http': (url, headers = {}) => plainGet(url, headers),
}
const FOLLOWING = Object.keys(WAYS).filter((way) => way !== 'node:http')
const call = (way: string): Call => WAYS[way] ?? (() => Promise.reject(new Error(way)))

function plainGet(url: string, headers: Record<string, string>): Promise<Echo> {
  return new Promise((resolve, reject) => {
    const sent = get(url, { agent: agents.httpAgent, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(JSON.parse(text) as Echo))
    })
    sent.on('error', reject)
  })
}

/** The error that tells why, below whatever the library wraps around it. */
async function failureOf(call: Promise<unknown>): Promise<unknown> {
  let error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  while (error instanceof Error && !/^[A-Z]+_[A-Z_]+$|^ECONN/.test('code' in error ? String(error.code) : ''))
    error = error.cause
  if (axios.isAxiosError(error) && error.cause !== undefined) return error.cause
  return error
}

describe.each(Object.keys(WAYS))('a call by %s', (way) => {
  it('goes to the copy that the tenant of the request sees, and carries the tenant', async () => {
    for (const [tenant, who] of [
      ['feature-x', 'feature-x/orders'],
      ['feature-y', 'feature-y/orders'],
      ['integration', 'integration/orders'],
    ] as const) {
      const echo = await runWithTenant(tenant, () => call(way)('http://orders/list?page=2'))
      expect(echo).toMatchObject({ who, path: '/list?page=2', baggage: `tributary-tenant=${tenant}` })
      expect(echo.host).toBe(`127.0.0.1:${fleet.port(who)}`)
    }
    const fallback = await runWithTenant('feature-x', () => call(way)('http://payments/'))
    expect(fallback).toMatchObject({ who: 'integration/payments', baggage: 'tributary-tenant=feature-x' })
  })

  it('carries nothing when there is nothing to carry: a baseline process never stamps itself', async () => {
    expect(await call(way)('http://orders/')).toMatchObject({ who: 'integration/orders', baggage: null })
  })

  it('carries the tenant to an address of the system too, whoever the tenant’s own copy is', async () => {
    const url = fleet.url('integration/payments')
    expect((await runWithTenant('feature-x', () => call(way)(`${url}/`))).baggage).toBe('tributary-tenant=feature-x')
  })

  it('ignores a port that the service does not have', async () => {
    const echo = await runWithTenant('feature-x', () => call(way)('http://orders:8080/'))
    expect(echo.who).toBe('feature-x/orders')
  })

  it('passes on the members of others, and prefers what the program wrote', async () => {
    const context = client.routing.accept('a=1;p,b=%20,b=2,tributary-tenant=feature-x')
    const both = await runWithContext(context, () => call(way)('http://orders/'))
    expect(both.baggage).toBe('tributary-tenant=feature-x,a=1;p,b=%20,b=2')
    const headers = { Baggage: 'a=own,tributary-tenant=feature-y' }
    const own = await runWithContext(context, () => call(way)('http://orders/', headers))
    expect(own).toMatchObject({ who: 'feature-x/orders', baggage: 'tributary-tenant=feature-x,a=own,b=%20,b=2' })
  })

  it('tells the outside nothing, even what the program wrote', async () => {
    const url = fleet.url('outside')
    const context = client.routing.accept('a=1,tributary-tenant=feature-x')
    for (const [written, seen] of [
      [undefined, null],
      ['tributary-tenant=feature-x', null],
      ['Tributary-Tenant=feature-x,c=3', 'c=3'],
      ['c=3 ,d="', 'c=3 ,d="'],
    ]) {
      const headers: Record<string, string> = typeof written === 'string' ? { baggage: written } : {}
      const echo = await runWithContext(context, () => call(way)(`${url}/`, headers))
      expect(echo).toMatchObject({ who: 'outside', baggage: seen })
    }
  })

  it('says that a service is masked or missing instead of asking somebody else', async () => {
    center().publish({}, { 'entry/feature-x/payments': { state: 'masked', endpoints: [] } })
    await expect.poll(() => client.resolve('payments', { tenant: 'feature-x' }).state).toBe('masked')
    const masked = failureOf(runWithTenant('feature-x', () => call(way)('http://payments/')))
    expect(await masked).toMatchObject({ code: 'SERVICE_MASKED' })
    expect(await failureOf(runWithTenant('feature-y', () => call(way)('http://only-x/')))).toMatchObject({
      code: 'SERVICE_NOT_FOUND',
    })
    expect((await runWithTenant('feature-x', () => call(way)('http://only-x/'))).who).toBe('feature-x/only-x')
  })

  it('never mixes up tenants that share a connection', async () => {
    const tenants = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? 'feature-x' : 'feature-y'))
    const connections = new Set<number>()
    for (const tenant of tenants) {
      const echo = await runWithTenant(tenant, () => call(way)('http://payments/'))
      expect(echo.baggage).toBe(`tributary-tenant=${tenant}`)
      connections.add(echo.from)
    }
    expect(connections.size).toBeLessThan(5)
    const at_once = tenants.map((tenant) => runWithTenant(tenant, () => call(way)('http://orders/')))
    expect((await Promise.all(at_once)).map(({ who }) => who)).toEqual(tenants.map((tenant) => `${tenant}/orders`))
  })

  it('resolves by the last table while the config center is down', async () => {
    await center().stop()
    await expect.poll(() => client.status.state).toBe('STALE')
    expect((await runWithTenant('feature-x', () => call(way)('http://orders/'))).who).toBe('feature-x/orders')
  })
})

const center = () => fleet.center

describe.each(FOLLOWING)('a redirect followed by %s', (way) => {
  const to = (target: string) => `http://payments/?to=${encodeURIComponent(target)}`

  it('loses the tenant on the way out of the system', async () => {
    const echo = await runWithTenant('feature-x', () => call(way)(to(`${fleet.url('outside')}/`)))
    expect(echo).toMatchObject({ who: 'outside', baggage: null })
    const headers = { baggage: 'tributary-tenant=feature-x' }
    const written = await runWithTenant('feature-x', () => call(way)(to(`${fleet.url('outside')}/`), headers))
    expect(written).toMatchObject({ who: 'outside', baggage: null })
  })

  it('is resolved for the tenant when it leads to a service by name, and keeps the tenant by address', async () => {
    const named = await runWithTenant('feature-x', () => call(way)(to('http://orders/x')))
    expect(named).toMatchObject({ who: 'feature-x/orders', baggage: 'tributary-tenant=feature-x' })
    const addressed = await runWithTenant('feature-x', () => call(way)(to(`${fleet.url('integration/orders')}/x`)))
    expect(addressed).toMatchObject({ who: 'integration/orders', baggage: 'tributary-tenant=feature-x' })
  })
})

describe('a service that is gone when it is called', () => {
  const ways: Readonly<Record<string, (method: string, body?: Readable) => Promise<unknown>>> = {
    'global fetch': (method, body) =>
      fetch('http://orders/', {
        method,
        ...(body === undefined ? {} : { body: Readable.toWeb(body), duplex: 'half' }),
      }).then((answer) => answer.json()),
    'request of undici': (method, body) =>
      request('http://orders/', { dispatcher, method: method as 'GET', body: body ?? null }).then(({ body: answer }) =>
        answer.json(),
      ),
  }
  const endpointsAt = (...ports: number[]) =>
    ports.map((port) => ({ name: 'http', protocol: 'http', host: '127.0.0.1', port }))

  /** Puts a server that tells what it was asked beside the copy of feature-x. */
  async function serveMoved(): Promise<void> {
    const moved = await fleet.serve('moved', (incoming, response) => {
      void text(incoming).then((body) =>
        response.end(JSON.stringify({ who: 'moved', baggage: incoming.headers['baggage'], body })),
      )
    })
    const endpoints = endpointsAt(fleet.port('feature-x/orders'), moved)
    center().publish({}, { 'entry/feature-x/orders': { state: 'present', endpoints } })
    await expect.poll(() => client.resolve('orders', { tenant: 'feature-x' }).endpoints.length).toBe(2)
  }

  test.each(Object.entries(ways))(
    'is looked for once more by %s, body and all: nothing had been sent',
    async (_way, send) => {
      await runWithTenant('feature-x', () => send('GET'))
      await serveMoved()
      await fleet.kill('feature-x/orders')
      const gets = await Promise.all([1, 2, 3, 4].map(() => runWithTenant('feature-x', () => send('GET'))))
      expect(gets).toEqual(gets.map(() => ({ who: 'moved', baggage: 'tributary-tenant=feature-x', body: '' })))
      const posts = await Promise.all(
        [1, 2, 3, 4].map(() => runWithTenant('feature-x', () => send('POST', Readable.from(['or', 'der'])))),
      )
      expect(posts).toEqual(posts.map(() => ({ who: 'moved', baggage: 'tributary-tenant=feature-x', body: 'order' })))
    },
  )

  test.each(Object.entries(ways))(
    'is not asked twice by %s for what is not safe, once it may have heard of it',
    async (_way, send) => {
      let heard = 0
      const deaf = await fleet.serve('deaf', (incoming) => {
        heard += 1
        incoming.socket.destroy()
      })
      const endpoints = endpointsAt(deaf, fleet.port('integration/orders'))
      center().publish({}, { 'entry/feature-x/orders': { state: 'present', endpoints } })
      await expect.poll(() => client.resolve('orders', { tenant: 'feature-x' }).endpoints.length).toBe(2)
      const outcomes = async (method: string) =>
        Promise.all([1, 2].map(() => failureOf(runWithTenant('feature-x', () => send(method)))))
      expect((await outcomes('POST')).filter((error) => error !== undefined)).toHaveLength(1)
      expect(heard).toBe(1)
      expect(await outcomes('GET')).toEqual([undefined, undefined])
      expect(heard).toBe(2)
    },
  )

  const byAgent: Readonly<Record<string, (method: string) => Promise<unknown>>> = {
    axios: (method) =>
      axios.request({ url: 'http://orders/', method, ...agents, proxy: false }).then(({ data }) => data as unknown),
    'node:http': (method) =>
      new Promise((resolve, reject) => {
        const sent = httpRequest('http://orders/', { agent: agents.httpAgent, method }, (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
          response.on('end', () => resolve(JSON.parse(text)))
        })
        sent.on('error', reject)
        sent.end()
      }),
  }

  test.each(Object.entries(byAgent))('is looked for once more by %s: nothing had been sent', async (_way, send) => {
    const moved = await fleet.serve('moved', (incoming, response) => {
      response.end(JSON.stringify({ who: 'moved', baggage: incoming.headers['baggage'] }))
    })
    const dead = fleet.port('feature-x/orders')
    await fleet.kill('feature-x/orders')
    center().publish({}, { 'entry/feature-x/orders': { state: 'present', endpoints: endpointsAt(dead, moved) } })
    await expect.poll(() => client.resolve('orders', { tenant: 'feature-x' }).endpoints.length).toBe(2)
    const methods = ['GET', 'POST', 'GET', 'POST']
    const answers = await Promise.all(methods.map((method) => runWithTenant('feature-x', () => send(method))))
    expect(answers).toEqual(methods.map(() => ({ who: 'moved', baggage: 'tributary-tenant=feature-x' })))
    // Had a connection been kept under the address that refused, whoever comes to live there would be taken for who answered.
    const name = agents.httpAgent.getName({ host: '127.0.0.1', port: dead })
    expect(agents.httpAgent.freeSockets[name]).toBeUndefined()
    await expect.poll(() => agents.httpAgent.sockets[name] === undefined).toBe(true)
  })

  test.each(Object.entries(byAgent))(
    'fails by %s as it would without us when there is nowhere else',
    async (_way, send) => {
      await fleet.kill('feature-x/orders')
      expect(await failureOf(runWithTenant('feature-x', () => send('GET')))).toMatchObject({ code: 'ECONNREFUSED' })
    },
  )

  test.each(Object.entries(ways))(
    'fails by %s as it would without us when there is nowhere else',
    async (_way, send) => {
      await fleet.kill('feature-x/orders')
      const error = await failureOf(runWithTenant('feature-x', () => send('GET')))
      expect(error).toMatchObject({ code: 'ECONNREFUSED' })
    },
  )
})

describe('the dispatcher', () => {
  it('takes headers in every form', async () => {
    const forms: NonNullable<Dispatcher.DispatchOptions['headers']>[] = [
      { BAGGAGE: 'a=1,tributary-tenant=feature-y', 'x-one': '1' },
      { baggage: ['a=1', 'tributary-tenant=feature-y'], 'x-one': '1' },
      ['Baggage', 'a=1', 'x-one', '1', 'baggage', 'tributary-tenant=feature-y'],
      new Map([['baggage', 'a=1']]),
      [],
    ]
    const seen: (string | null)[] = []
    for (const headers of forms) {
      const { body } = await runWithTenant('feature-x', () => request('http://orders/', { dispatcher, headers }))
      seen.push(((await body.json()) as Echo).baggage)
    }
    const bare = 'tributary-tenant=feature-x'
    expect(seen).toEqual([`${bare},a=1`, `${bare},a=1`, `${bare},a=1`, `${bare},a=1`, bare])
  })

  it('hands calls to the outside to the dispatcher of the program', async () => {
    const origins: string[] = []
    const agent = new Agent()
    const outside = agent.compose((dispatch) => (options, handler) => {
      origins.push(String(options.origin))
      return dispatch(options, handler)
    })
    const own = createDispatcher(client, { outside })
    await request('http://orders/', { dispatcher: own }).then(({ body }) => body.dump())
    await request(`${fleet.url('outside')}/`, { dispatcher: own }).then(({ body }) => body.dump())
    expect(origins).toEqual([fleet.url('outside')])
    await own.close()
    expect(agent.closed).toBe(false)
    await agent.close()
  })

  it('lets a service called localhost be, and carries a body', async () => {
    center().publish(
      {},
      {
        'entry/integration/localhost': {
          state: 'present',
          endpoints: [{ name: 'http', protocol: 'http', host: '127.0.0.1', port: 1 }],
        },
      },
    )
    await expect.poll(() => client.routing.hasService('localhost')).toBe(true)
    const url = `http://localhost:${fleet.port('outside')}/`
    const echo = (await (await fetch(url, { method: 'POST', body: 'x'.repeat(100_000) })).json()) as Echo
    expect(echo).toMatchObject({ who: 'outside', method: 'POST' })
  })
})

describe('the agents', () => {
  it('refuse headers that node has written before them, and only when they matter', async () => {
    const send = (host: string, port: number | undefined, headers: Record<string, string>): Promise<number> =>
      new Promise((resolve, reject) => {
        const options = { host, port, agent: agents.httpAgent, headers }
        const sent = httpRequest(options, (response) => resolve(response.resume().statusCode ?? 0))
        sent.on('error', reject)
        sent.end()
      })
    const expecting = { expect: '100-continue' }
    await expect(send('orders', undefined, expecting)).rejects.toMatchObject({ code: 'CONTEXT_HEADERS_FIXED' })
    expect(await send('127.0.0.1', fleet.port('outside'), expecting)).toBe(200)
  })

  it('keep a host header that the program chose', async () => {
    const echo = await runWithTenant('feature-x', () => call('node:http')('http://orders/', { host: 'shop.example' }))
    expect(echo).toMatchObject({ who: 'feature-x/orders', host: 'shop.example' })
  })
})
