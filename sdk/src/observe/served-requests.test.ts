import { EventEmitter, once } from 'node:events'
import { createServer as createHttp1Server, get, type Server } from 'node:http'
import { connect as connectHttp2, createServer, type ClientHttp2Session, type Http2Server } from 'node:http2'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { withRoutingContext } from '../context/http-listener.js'
import { withStreamContext } from '../context/http2-stream-listener.js'
import { Fleet } from '../outgoing/fleet.test-support.js'
import type { Tributary } from '../tributary.js'
import { observePayments } from './observed-payments.test-support.js'
import type { ProcessObserver } from './process-observer.js'

let fleet: Fleet
let client: Tributary
let observer: ProcessObserver
let server: Http2Server | Server
let session: ClientHttp2Session | undefined
const waiting = new EventEmitter()

beforeEach(async () => {
  fleet = new Fleet()
  await fleet.start(['integration/orders', 'feature-x/orders', 'feature-y/orders'])
  client = await fleet.client()
  observer = observePayments(client)
})
afterEach(async () => {
  session?.destroy()
  await new Promise((resolve) => server.close(resolve))
  await fleet.stop()
})

async function listen(made: Http2Server | Server): Promise<string> {
  server = made
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
  const address = made.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

async function open(made: Http2Server): Promise<ClientHttp2Session> {
  session = connectHttp2(await listen(made))
  return session
}

/** A call outside of any context; what is said of it. */
function leaksOfCall() {
  const about = { service: 'orders', method: 'GET', path: '/list', tenant: undefined, traceId: undefined }
  observer.call({ ...about, context: undefined })(false)
  return observer.counter.take().leaks
}

/** Each answers when `waiting` says so. */
const SERVERS: Readonly<Record<string, () => Http2Server>> = {
  'a request listener': () =>
    createServer(withRoutingContext(client, (_request, response) => waiting.once('go', () => response.end('paid')))),
  'a stream listener': () =>
    createServer().on(
      'stream',
      withStreamContext(client, (stream) => waiting.once('go', () => stream.end('paid'))),
    ),
}

describe.each(Object.entries(SERVERS))('an HTTP/2 server with %s', (_name, make) => {
  it('sees requests that belong elsewhere', async () => {
    const stream = (await open(make())).request({
      ':path': '/pay/7',
      baggage: 'tributary-tenant=feature-x',
      'tributary-caller': 'web',
    })
    await expect.poll(() => waiting.emit('go')).toBe(true)
    await once(stream.resume(), 'close')
    expect(observer.counter.take().leaks).toEqual([
      { kind: 'misrouted', tenant: 'feature-x', peer: 'web', route: 'GET /pay/:id', count: 1 },
    ])
  })

  it('counts its requests as being served until they are answered, so that calls without a context are suspected', async () => {
    const stream = (await open(make())).request({ ':path': '/pay', baggage: 'tributary-tenant=feature-y' })
    await expect.poll(() => waiting.listenerCount('go')).toBe(1)
    expect(leaksOfCall()).toMatchObject([{ kind: 'suspected', tenant: 'feature-y', peer: 'orders' }])
    waiting.emit('go')
    await once(stream.resume(), 'close')
    await expect.poll(leaksOfCall).toEqual([])
  })
})

describe('an HTTP/1 server', () => {
  const suspected = [{ kind: 'suspected', tenant: 'feature-y', peer: 'orders' }]
  const begin = async (listener: Parameters<typeof withRoutingContext>[1]): Promise<ReturnType<typeof get>> => {
    const url = await listen(createHttp1Server(withRoutingContext(client, listener)))
    return get(`${url}/pay`, { agent: false, headers: { baggage: 'tributary-tenant=feature-y' } })
  }

  it('counts its requests as being served until they are answered', async () => {
    const call = await begin((_request, response) => waiting.once('go', () => response.end('paid')))
    await expect.poll(() => waiting.listenerCount('go')).toBe(1)
    expect(leaksOfCall()).toMatchObject(suspected)
    waiting.emit('go')
    const [answer] = await once(call, 'response')
    answer.resume()
    await expect.poll(leaksOfCall).toEqual([])
  })

  it('counts a request whose caller goes away until then', async () => {
    const call = await begin(() => waiting.emit('begun'))
    await once(waiting, 'begun')
    expect(leaksOfCall()).toMatchObject(suspected)
    call.on('error', () => undefined).destroy()
    await expect.poll(leaksOfCall).toEqual([])
  })
})
