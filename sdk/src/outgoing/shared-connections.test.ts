import { get, type IncomingMessage, type ServerResponse } from 'node:http'
import { Readable, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import axios from 'axios'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { interceptors, request, stream, type Dispatcher } from 'undici'
import { currentContext, runWithTenant } from '../context/routing-context.js'
import type { Tributary } from '../tributary.js'
import { createDispatcher, install } from '../undici.js'
import { echo, Fleet, type Echo } from './fleet.test-support.js'
import { createAgents, type RoutingAgents } from './node-agents.js'

let fleet: Fleet
let client: Tributary
let dispatcher: Dispatcher
let agents: RoutingAgents
let uninstall: () => Promise<void>
/** Connections that the services of the test have got. */
let connections: Set<IncomingMessage['socket']>

beforeEach(async () => {
  fleet = new Fleet()
  connections = new Set()
  const names = ['integration/payments', 'integration/orders', 'feature-x/orders', 'feature-y/orders', 'outside']
  await fleet.start(names, answerSlowly)
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

const tenantNow = (): string => currentContext().tenant ?? 'none'
const TENANTS = ['feature-x', 'feature-y', 'none', 'feature-x', 'none', 'feature-y']
const runFor = <T>(tenant: string, run: () => T): T => (tenant === 'none' ? run() : runWithTenant(tenant, run))

/** `/slow` answers in several pieces that come one by one, `/flaky` every second time with 503, anything else with an echo. */
function answerSlowly(who: string): (incoming: IncomingMessage, response: ServerResponse) => void {
  const reply = echo(who)
  let asked = 0
  return (incoming, response) => {
    connections.add(incoming.socket)
    if (incoming.url === '/flaky' && asked++ % 2 === 0) response.writeHead(503).end()
    else if (incoming.url === '/slow') void inPieces(response)
    else reply(incoming, response)
  }
}

async function inPieces(response: ServerResponse): Promise<void> {
  for (const piece of ['a', 'b', 'c']) {
    response.write(piece.repeat(50_000))
    await delay(2)
  }
  response.end()
}

/** The tenants that listeners to a body see. */
function listenTo(body: Readable): Promise<string[]> {
  const seen: string[] = []
  return new Promise((resolve, reject) => {
    body.on('data', () => seen.push(tenantNow()))
    body.on('end', () => seen.push(tenantNow()))
    body.on('close', () => resolve([...seen, tenantNow()]))
    body.on('error', reject)
  })
}

/** Every way to hear of an answer by other means than a promise. */
const LISTENING: Readonly<Record<string, (url: string) => Promise<string[]>>> = {
  'request of undici, body by events': async (url) => listenTo((await request(url, { dispatcher })).body),
  'stream of undici': async (url) => {
    const seen: string[] = []
    const write = (_chunk: unknown, _encoding: string, next: () => void): void => {
      seen.push(tenantNow())
      next()
    }
    const factory = (): Writable => {
      seen.push(tenantNow())
      return new Writable({ write })
    }
    await stream(url, { dispatcher, method: 'GET' }, factory)
    return seen
  },
  'a handler of undici': (url) =>
    new Promise((resolve, reject) => {
      const seen: string[] = []
      const note = (): void => void seen.push(tenantNow())
      const { origin, pathname: path } = new URL(url)
      dispatcher.dispatch(
        { origin, path, method: 'GET' },
        {
          onRequestStart: note,
          onResponseStart: note,
          onResponseData: note,
          onResponseEnd: () => resolve([...seen, tenantNow()]),
          onResponseError: (_controller, error) => reject(error),
        },
      )
    }),
  'an older handler of undici': (url) =>
    new Promise((resolve, reject) => {
      const seen: string[] = []
      const note = (): boolean => seen.push(tenantNow()) > 0
      const { origin, pathname: path } = new URL(url)
      dispatcher.dispatch(
        { origin, path, method: 'GET' },
        {
          onConnect: note,
          onHeaders: note,
          onData: note,
          onComplete: () => resolve([...seen, tenantNow()]),
          onError: reject,
        },
      )
    }),
  'fetch, body by events': async (url) => {
    const { body } = await fetch(url)
    return listenTo(Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]))
  },
  'node:http': (url) =>
    new Promise((resolve, reject) => {
      const sent = get(url, { agent: agents.httpAgent }, (response) => {
        const tenant = tenantNow()
        listenTo(response).then((seen) => resolve([tenant, ...seen]), reject)
      })
      sent.on('error', reject)
    }),
  'axios, body by events': async (url) => {
    const { data } = await axios.get<Readable>(url, { ...agents, proxy: false, responseType: 'stream' })
    return listenTo(data)
  },
}

describe.each(Object.entries(LISTENING))('over connections that tenants share, %s', (_way, listen) => {
  it.each([
    ['a service', () => 'http://payments/slow'],
    ['the outside', () => `${fleet.url('outside')}/slow`],
  ])('hears of the answer of %s in the context of its own call', async (_whom, url) => {
    for (const tenant of TENANTS) {
      const seen = await runFor(tenant, () => listen(url()))
      expect(seen.length).toBeGreaterThan(2)
      expect(new Set(seen)).toEqual(new Set([tenant]))
    }
    expect(connections.size).toBeLessThan(TENANTS.length)
  })
})

describe('over connections that tenants share', () => {
  const askWith = async (through: Dispatcher, url: string): Promise<Echo> => {
    const { body } = await request(url, { dispatcher: through })
    return (await body.json()) as Echo
  }
  const to = (target: string) => `?to=${encodeURIComponent(target)}`

  const following: Readonly<Record<string, (url: string) => Promise<Echo>>> = {
    'request of undici': (url) => askWith(dispatcher.compose(interceptors.redirect({ maxRedirections: 3 })), url),
    fetch: async (url) => (await (await fetch(url)).json()) as Echo,
    axios: async (url) => (await axios.get<Echo>(url, { ...agents, proxy: false })).data,
  }

  describe.each(Object.entries(following))('a redirect followed by %s', (_way, ask) => {
    it.each([
      ['a service', () => `http://payments/${to('http://orders/x')}`],
      ['the outside', () => `${fleet.url('outside')}/${to('http://orders/x')}`],
    ])('leads from %s to the service of the tenant that was redirected', async (_whom, url) => {
      for (const tenant of TENANTS) {
        const { who, baggage } = await runFor(tenant, () => ask(url()))
        expect(who).toBe(`${tenant === 'none' ? 'integration' : tenant}/orders`)
        expect(baggage).toBe(tenant === 'none' ? null : `tributary-tenant=${tenant}`)
      }
    })
  })

  it('a retry is sent for the tenant whose call had failed', async () => {
    const retrying = dispatcher.compose(interceptors.retry({ minTimeout: 1, maxRetries: 2 }))
    for (const tenant of TENANTS) {
      const { baggage } = await runFor(tenant, () => askWith(retrying, 'http://payments/flaky'))
      expect(baggage).toBe(tenant === 'none' ? null : `tributary-tenant=${tenant}`)
    }
    expect(connections.size).toBeLessThan(TENANTS.length)
  })
})
