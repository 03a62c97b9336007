import { EventEmitter, once } from 'node:events'
import { connect as connectHttp2, createServer, type ClientHttp2Session, type Http2Server } from 'node:http2'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { withRoutingContext } from '../context/http-listener.js'
import { withStreamContext } from '../context/http2-stream-listener.js'
import { TableRouting } from '../context/routing.js'
import { Fleet } from '../outgoing/fleet.test-support.js'
import type { Tributary } from '../tributary.js'
import { ProcessObserver } from './process-observer.js'

let fleet: Fleet
let client: Tributary
let observer: ProcessObserver
let server: Http2Server
let session: ClientHttp2Session
const waiting = new EventEmitter()

beforeEach(async () => {
  fleet = new Fleet()
  await fleet.start(['integration/orders', 'feature-x/orders', 'feature-y/orders'])
  client = await fleet.client()
  observer = new ProcessObserver({
    service: 'payments',
    tenant: 'integration',
    ownerFor: (tenant) => (tenant === 'feature-x' ? 'feature-x' : 'integration'),
    ownStamp: () => undefined,
    monotonicMs: () => performance.now(),
    onCounted: () => undefined,
    onLeak: () => undefined,
  })
  if (!(client.routing instanceof TableRouting)) throw new Error('the client has another routing')
  client.routing.observer = observer
})
afterEach(async () => {
  session.destroy()
  await new Promise((resolve) => server.close(resolve))
  await fleet.stop()
})

async function open(made: Http2Server): Promise<void> {
  server = made
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  session = connectHttp2(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`)
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
    await open(make())
    const stream = session.request({
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
    await open(make())
    const call = (): void => {
      const about = { service: 'orders', method: 'GET', path: '/list', tenant: undefined, traceId: undefined }
      observer.call({ ...about, context: undefined })(false)
    }
    const stream = session.request({ ':path': '/pay', baggage: 'tributary-tenant=feature-y' })
    await expect.poll(() => waiting.listenerCount('go')).toBe(1)
    call()
    expect(observer.counter.take().leaks).toMatchObject([{ kind: 'suspected', tenant: 'feature-y', peer: 'orders' }])
    waiting.emit('go')
    await once(stream.resume(), 'close')
    await expect
      .poll(() => {
        call()
        return observer.counter.take().leaks
      })
      .toEqual([])
  })
})
