import { connect as connectHttp2, createServer, type ClientHttp2Session, type Http2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import fastify from 'fastify'
import Koa from 'koa'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tributaryContext as fastifyContext } from '../fastify.js'
import { tributaryContext as koaContext } from '../koa.js'
import { Fleet } from '../outgoing/fleet.test-support.js'
import type { Tributary } from '../tributary.js'
import { currentContext } from './routing-context.js'

let fleet: Fleet
let client: Tributary
let session: ClientHttp2Session
let end: () => Promise<unknown>

beforeEach(async () => {
  fleet = new Fleet()
  await fleet.start(['integration/orders', 'feature-x/orders', 'feature-y/orders'])
  client = await fleet.client()
})
afterEach(async () => {
  session.destroy()
  await end()
  await fleet.stop()
})

const tenantNow = (): string => currentContext().tenant ?? 'none'

/** Each answers with the tenants that it saw before and after a wait. */
const SERVERS: Readonly<Record<string, () => Promise<string>>> = {
  fastify: async () => {
    const app = fastify({ http2: true })
    await app.register(fastifyContext, { client })
    app.post('/', async () => {
      const before = tenantNow()
      await delay(2)
      return [before, tenantNow()]
    })
    end = () => app.close()
    return app.listen({ port: 0, host: '127.0.0.1' })
  },
  koa: async () => {
    const app = new Koa()
    app.use(koaContext(client))
    app.use(async (exchange) => {
      const before = tenantNow()
      await delay(2)
      exchange.body = [before, tenantNow()]
    })
    const handle = app.callback()
    return listen(createServer((request, response) => void handle(request, response)))
  },
}

async function listen(server: Http2Server): Promise<string> {
  end = () => new Promise((resolve) => server.close(resolve))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function ask(tenant: string): Promise<unknown> {
  const baggage = tenant === 'none' ? {} : { baggage: `tributary-tenant=${tenant}` }
  const stream = session.request({ ':path': '/', ':method': 'POST', 'content-type': 'application/json', ...baggage })
  stream.end('{}')
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return JSON.parse(text)
}

describe.each(Object.entries(SERVERS))('%s over HTTP/2', (_name, start) => {
  it('handles each stream of one connection in its own context', async () => {
    session = connectHttp2(await start())
    const tenants = Array.from({ length: 30 }, (_, index) => ['feature-x', 'none', 'feature-y'][index % 3] ?? '')
    expect(await Promise.all(tenants.map(ask))).toEqual(tenants.map((tenant) => [tenant, tenant]))
  })
})
