import type { IncomingMessage, ServerResponse } from 'node:http'
import { request as nodeRequest } from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import axios from 'axios'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fetch as undiciFetch, request, type Dispatcher } from 'undici'
import { currentContext, runWithTenant } from '../context/routing-context.js'
import type { Tributary } from '../tributary.js'
import { createDispatcher } from '../undici.js'
import { echo, Fleet, type Echo } from './fleet.test-support.js'
import { createAgents, type RoutingAgents } from './node-agents.js'

let fleet: Fleet
let client: Tributary
/** At most one connection to each address. */
let narrow: Dispatcher
let wide: Dispatcher
let agents: RoutingAgents
/** Connections that the service of the uploads has got. */
let connections: Set<IncomingMessage['socket']>

beforeEach(async () => {
  fleet = new Fleet()
  connections = new Set()
  const names = ['integration/payments', 'integration/orders', 'feature-x/orders', 'feature-y/orders']
  await fleet.start(names, (who) => (who === 'integration/payments' ? sendBack : echo(who)))
  client = await fleet.client()
  narrow = createDispatcher(client, { agent: { connections: 1 } })
  wide = createDispatcher(client)
  agents = createAgents(client, { maxSockets: 1, keepAlive: true })
})
afterEach(async () => {
  await narrow.close()
  await wide.close()
  agents.httpAgent.destroy()
  await fleet.stop()
})

/** Answers what was uploaded. */
function sendBack(incoming: IncomingMessage, response: ServerResponse): void {
  connections.add(incoming.socket)
  void text(incoming).then((body) => response.end(body))
}

const tenantNow = (): string => currentContext().tenant ?? 'none'
const TENANTS = ['feature-x', 'feature-y', 'none', 'feature-x', 'none', 'feature-y', 'feature-x', 'feature-y']
const runFor = <T>(tenant: string, run: () => T): T => (tenant === 'none' ? run() : runWithTenant(tenant, run))

/** Each part of the upload says for whom it was made, and who was called while it was. */
async function* parts(): AsyncGenerator<Buffer> {
  for (let part = 0; part < 4; part += 1) {
    const { body } = await request('http://orders/part', { dispatcher: wide })
    const { who } = (await body.json()) as Echo
    if (part === 2) await turn()
    // Long enough to fill the socket, so that the rest is asked for when it has drained.
    yield Buffer.from(`${tenantNow()} ${who};${' '.repeat(100_000)}`)
  }
}

const URL_OF_UPLOAD = 'http://payments/upload'

const post = (dispatcher: Dispatcher, body: unknown) => ({ dispatcher, method: 'POST', body, duplex: 'half' }) as never

/** A stream of small parts asks for the next ones when the connection has drained. */
const streamed = (): Readable => Readable.from(parts(), { highWaterMark: 1 })

const UPLOADS: Readonly<Record<string, (dispatcher: Dispatcher) => Promise<string>>> = {
  'request of undici, a generator': async (by) => (await request(URL_OF_UPLOAD, post(by, parts()))).body.text(),
  'request of undici, a stream': async (by) => (await request(URL_OF_UPLOAD, post(by, streamed()))).body.text(),
  'request of undici, a stream through another': async (by) =>
    (await request(URL_OF_UPLOAD, post(by, streamed().pipe(new PassThrough())))).body.text(),
  'fetch of undici, a generator': async (by) => (await undiciFetch(URL_OF_UPLOAD, post(by, parts()))).text(),
  'fetch, a web stream': async (by) => (await fetch(URL_OF_UPLOAD, post(by, Readable.toWeb(streamed())))).text(),
  'node:http, a stream': () =>
    new Promise((resolve, reject) => {
      const sent = nodeRequest(URL_OF_UPLOAD, { agent: agents.httpAgent, method: 'POST' }, (answer) => {
        text(answer).then(resolve, reject)
      })
      streamed().on('error', reject).pipe(sent).on('error', reject)
    }),
  'axios, a stream': async () => {
    const settings = { ...agents, proxy: false, responseType: 'text' } as const
    return (await axios.post<string>(URL_OF_UPLOAD, streamed(), { ...settings, maxRedirects: 0 })).data
  },
}

/** For whom the parts of an upload were made, and whom they called. */
const madeFor = (body: string): string[] => [
  ...new Set(body.replaceAll(' '.repeat(100_000), '').split(';').filter(Boolean)),
]
const expected = TENANTS.map((tenant) => [`${tenant} ${tenant === 'none' ? 'integration' : tenant}/orders`])

describe.each(Object.entries(UPLOADS))('the body of an upload, %s', (_way, upload) => {
  it('makes its calls for its own tenant when uploads wait for one connection', async () => {
    const bodies = await Promise.all(TENANTS.map((tenant) => runFor(tenant, () => upload(narrow))))
    expect(bodies.map(madeFor)).toEqual(expected)
  })

  it('makes its calls for its own tenant over a connection that another one has opened', async () => {
    const bodies: string[] = []
    for (const tenant of TENANTS) bodies.push(await runFor(tenant, () => upload(wide)))
    expect(bodies.map(madeFor)).toEqual(expected)
    expect(connections.size).toBeLessThan(TENANTS.length)
  })
})
