import { createRequire } from 'node:module'
import { createConnection } from 'node:net'
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { interceptors, request } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type * as NodeHttp from 'node:http'
import { withRoutingContext } from '../context/http-listener.js'
import { currentContext, runWithTenant } from '../context/routing-context.js'
import type { Tributary } from '../tributary.js'
import { createDispatcher, install } from '../undici.js'
import { Fleet, type Echo } from './fleet.test-support.js'
import { createAgents } from './node-agents.js'

const instrumentations = [new HttpInstrumentation(), new UndiciInstrumentation()]
const provider = new NodeTracerProvider()
let http: typeof NodeHttp
let fleet: Fleet
let client: Tributary
let entry: NodeHttp.Server
let undo: () => Promise<void>

beforeAll(async () => {
  provider.register()
  for (const instrumentation of instrumentations) instrumentation.setTracerProvider(provider)
  // The instrumentation patches node:http when it is required after it was set up.
  http = createRequire(import.meta.url)('node:http') as typeof NodeHttp
  fleet = new Fleet()
  await fleet.start(['integration/orders', 'feature-x/orders', 'outside'])
  client = await fleet.client()
  undo = install(client)
  entry = http.createServer(withRoutingContext(client, (request, response) => void answer(request, response)))
  await new Promise<void>((resolve) => entry.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  entry.closeAllConnections()
  entry.close()
  await undo()
  await fleet.stop()
  for (const instrumentation of instrumentations) instrumentation.disable()
  await provider.shutdown()
})

/** Calls a service and the outside by fetch and by node:http, as the query asks, and tells what they saw. */
async function answer(request: NodeHttp.IncomingMessage, response: NodeHttp.ServerResponse): Promise<void> {
  for await (const chunk of request) expect(chunk).toBeDefined()
  const change = new URL(request.url ?? '/', 'http://any').searchParams.get('change')
  const active = propagation.getActiveBaggage()
  const baggage = change === null ? active : active?.setEntry('b', { value: change }).removeEntry('c')
  const run = async (): Promise<object> => ({
    tenant: currentContext().tenant,
    trace: trace.getActiveSpan()?.spanContext().traceId,
    known: active?.getAllEntries().map(([key]) => key),
    fetched: await echo('http://orders/'),
    got: await get('http://orders/'),
    outside: await echo(`${fleet.url('outside')}/`),
    gotOutside: await get(`${fleet.url('outside')}/`),
  })
  const told = await (baggage === undefined
    ? run()
    : context.with(propagation.setBaggage(context.active(), baggage), run))
  response.end(JSON.stringify(told))
}

async function echo(url: string): Promise<Echo> {
  return (await (await fetch(url)).json()) as Echo
}

function get(url: string): Promise<Echo> {
  const { httpAgent: agent } = createAgents(client, { keepAlive: false })
  return new Promise((resolve, reject) => {
    const sent = http.get(url, { agent }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(JSON.parse(text) as Echo))
    })
    sent.on('error', reject)
  })
}

interface Told {
  readonly tenant: string
  readonly trace: string
  readonly known: readonly string[]
  readonly fetched: Echo
  readonly got: Echo
  readonly outside: Echo
  readonly gotOutside: Echo
}

/** A caller that nobody instruments: it writes its request on a socket. */
async function ask(baggage: string | undefined, query = ''): Promise<Told> {
  const address = entry.address()
  const socket = createConnection({ port: typeof address === 'object' ? (address?.port ?? 0) : 0, host: '127.0.0.1' })
  const lines = [
    `GET /${query} HTTP/1.1`,
    'host: entry',
    'connection: close',
    `traceparent: 00-${TRACE}-b7ad6b7169203331-01`,
  ]
  if (baggage !== undefined) lines.push(`baggage: ${baggage}`)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)) as Told
}

const TRACE = '0af7651916cd43dd8448eb211c80319c'

/** The members without their order, which two programs need not agree on. */
const membersOf = (header: string | null) => (header ?? '').split(',').toSorted()

describe('beside OpenTelemetry with its instrumentation of node:http and undici', () => {
  it('carries the tenant and everybody’s members to services, once each, in the same trace', async () => {
    const told = await ask('a=1;p=2,tributary-tenant=feature-x,b=%20')
    expect(told).toMatchObject({ tenant: 'feature-x', trace: TRACE })
    for (const { who, baggage } of [told.fetched, told.got]) {
      expect(who).toBe('feature-x/orders')
      expect(membersOf(baggage)).toEqual(['a=1;p=2', 'b=%20', 'tributary-tenant=feature-x'])
    }
  })

  it('keeps the tenant from the outside, which OpenTelemetry tells everything else', async () => {
    const told = await ask('a=1,tributary-tenant=feature-x')
    for (const { who, baggage } of [told.outside, told.gotOutside]) {
      expect(who).toBe('outside')
      expect(membersOf(baggage)).toEqual(['a=1'])
    }
    expect(told.known).toEqual(['a'])
  })

  it('passes on what the program changed and removed through the API', async () => {
    const told = await ask('b=1,c=2,tributary-tenant=feature-x', '?change=new')
    for (const { baggage } of [told.fetched, told.got]) {
      expect(membersOf(baggage)).toEqual(['b=new', 'tributary-tenant=feature-x'])
    }
  })

  it('works for requests without any baggage', async () => {
    const told = await ask(undefined)
    expect(told.tenant).toBeUndefined()
    expect([told.fetched, told.got, told.outside].map(({ who, baggage }) => [who, baggage])).toEqual([
      ['integration/orders', null],
      ['integration/orders', null],
      ['outside', null],
    ])
  })

  it('hears of answers over a shared connection with the members of the call, and follows redirects with them', async () => {
    const dispatcher = createDispatcher(client)
    const following = dispatcher.compose(interceptors.redirect({ maxRedirections: 2 }))
    const ask = async (id: string): Promise<readonly [Echo, readonly (string | undefined)[]]> => {
      const redirected = await request(`${fleet.url('outside')}/?to=http://orders/x`, { dispatcher: following })
      const echo = (await redirected.body.json()) as Echo
      const { body } = await request('http://orders/', { dispatcher })
      const heard = new Promise<string | undefined>((resolve) => {
        body.on('end', () => resolve(propagation.getActiveBaggage()?.getEntry('id')?.value))
      })
      await body.dump()
      return [echo, [await heard, id]]
    }
    for (const id of ['1', '2', '3']) {
      const active = propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage({ id: { value: id } }))
      const [{ baggage }, [heard]] = await context.with(active, () => runWithTenant('feature-x', () => ask(id)))
      expect(membersOf(baggage)).toEqual([`id=${id}`, 'tributary-tenant=feature-x'])
      expect(heard).toBe(id)
    }
    const [{ baggage }, [heard]] = await runWithTenant('feature-x', () => ask('none'))
    expect([baggage, heard]).toEqual(['tributary-tenant=feature-x', undefined])
    await dispatcher.close()
  })

  it('never mixes up tenants that come at once', async () => {
    const tenants = Array.from({ length: 60 }, (_, index) => (index % 2 === 0 ? 'feature-x' : 'integration'))
    const answers = await Promise.all(tenants.map((tenant, index) => ask(`id=${index},tributary-tenant=${tenant}`)))
    for (const [index, told] of answers.entries()) {
      const tenant = tenants[index] ?? ''
      for (const { who, baggage } of [told.fetched, told.got]) {
        expect(who).toBe(`${tenant}/orders`)
        expect(membersOf(baggage)).toEqual([`id=${index}`, `tributary-tenant=${tenant}`])
      }
    }
  })
})
