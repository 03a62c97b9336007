import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { InterceptingCall, Metadata, credentials, status, type Interceptor } from '@grpc/grpc-js'
import { FaultProxy, eventually, freePort } from '@tributary/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { currentContext, runWithTenant } from '../context/routing-context.js'
import { GrpcShop, type Copy, type Orders } from './grpc-shop.test-support.js'

let shop: GrpcShop
let live: Copy
const proxies: FaultProxy[] = []

beforeEach(async () => {
  shop = new GrpcShop()
  await shop.start()
  live = await shop.serve('live')
})
afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy.close()
  await shop.stop()
})

/** A way to a copy that fails on command. */
async function proxyTo(port: number): Promise<FaultProxy> {
  const proxy = await FaultProxy.start(port)
  proxies.push(proxy)
  return proxy
}

/** An address that takes connections and never says anything, so that a call waits for its connection. */
async function silent(): Promise<FaultProxy> {
  const proxy = await proxyTo(live.port)
  proxy.stall('toClient')
  return proxy
}

/** An address where nobody listens. */
const nobody = freePort

const WAYS: Readonly<
  Record<string, { readonly call: (orders: Orders) => Promise<unknown>; readonly answer: unknown }>
> = {
  'unary call': { call: (orders) => orders.ask('a'), answer: 'live none a' },
  'stream of the server': { call: (orders) => orders.list('a'), answer: ['live none a1', 'live none a2'] },
  'stream of the client': { call: (orders) => orders.collect(['a', 'b', 'c']), answer: 'live none abc' },
  'stream both ways': { call: (orders) => orders.talk(['a', 'b']), answer: ['live none a', 'live none b'] },
}

/** The service at two addresses: the connection to the first breaks once its server has got a call. Answers that server. */
async function placeBreaking(): ReturnType<typeof shop.serve> {
  const hit = await shop.serve('hit')
  const broken = await proxyTo(hit.port)
  hit.onCall = () => {
    broken.refuse()
    return false
  }
  await shop.place({ integration: [broken.port, live.port] })
  return hit
}

describe.each(Object.entries(WAYS))('a %s', (_way, { call, answer }) => {
  it('goes to the other address when nobody listens at the first, and counts once', async () => {
    await shop.place({ integration: [await nobody(), live.port] })
    expect(await call(shop.orders())).toEqual(answer)
    expect(live.served).toHaveLength(1)
    expect(shop.counted()).toEqual([[null, 1, 0]])
  })

  it('is not repeated when its connection breaks after a server has got it', async () => {
    const hit = await placeBreaking()
    await expect(call(shop.orders())).rejects.toMatchObject({ code: status.UNAVAILABLE })
    expect([hit.served.length, live.served.length]).toEqual([1, 0])
    expect(shop.counted()).toEqual([[null, 1, 1]])
  })

  it('is repeated elsewhere after its server got it when the retry policy of the program repeats it', async () => {
    const hit = await placeBreaking()
    expect(await call(shop.orders(shop.channel({ 'grpc.service_config': RETRYING })))).toEqual(answer)
    expect([hit.served.length, live.served.length]).toEqual([1, 1])
    expect(shop.counted()).toEqual([[null, 1, 0]])
  })

  it('goes elsewhere when its server goes away without having looked at it', async () => {
    await shop.place({ integration: [await goingAway(), live.port] })
    expect(await call(shop.orders())).toEqual(answer)
    expect(live.served).toHaveLength(1)
    expect(shop.counted()).toEqual([[null, 1, 0]])
  })
})

const PREFACE_BYTES = 24
const FRAME_HEAD_BYTES = 9
const HEADERS = 1

/** A frame of HTTP/2 for the whole connection. */
function frameOf(type: number, { flags = 0, payload = Buffer.alloc(0) } = {}): Buffer {
  return Buffer.concat([Buffer.from([0, 0, payload.length, type, flags, 0, 0, 0, 0]), payload])
}

const SETTINGS = frameOf(4)
const SETTINGS_ACK = frameOf(4, { flags: 1 })
/** Nothing after stream 0 was looked at: by RFC 9113, 6.8, the client may send its streams again. */
const GOAWAY = frameOf(7, { payload: Buffer.alloc(8) })

/** A server that goes away when it gets its first call, without having looked at it; node's own cannot say that. Answers its port. */
async function goingAway(): Promise<number> {
  const server = createServer((socket) => {
    let received = Buffer.alloc(0)
    socket.on('error', () => undefined)
    socket.write(Buffer.concat([SETTINGS, SETTINGS_ACK]))
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (!typesOf(received).includes(HEADERS) || !server.listening) return
      server.close()
      socket.write(GOAWAY)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return portOf(server)
}

/** The types of the frames that a client has sent. */
function typesOf(received: Buffer): number[] {
  const types: number[] = []
  for (let at = PREFACE_BYTES; at + FRAME_HEAD_BYTES <= received.length;) {
    types.push(received.readUInt8(at + 3))
    at += FRAME_HEAD_BYTES + received.readUIntBE(at, 3)
  }
  return types
}

function portOf(server: Server): number {
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port')
  return address.port
}

/** Says that a method can be repeated, as gRPC has it. */
const RETRYING = JSON.stringify({
  methodConfig: [
    {
      name: [{}],
      retryPolicy: {
        maxAttempts: 2,
        initialBackoff: '0.01s',
        maxBackoff: '0.01s',
        backoffMultiplier: 1,
        retryableStatusCodes: ['UNAVAILABLE'],
      },
    },
  ],
  loadBalancingConfig: [],
})

describe('a call that waits for its connection', () => {
  it.each([false, true])(
    'follows its service to where it is for its tenant (wait for ready: %s)',
    async (isPatient) => {
      const old = await silent()
      const [moved, own] = [await shop.serve('moved'), await shop.serve('own')]
      await shop.place({ integration: [old.port] })
      const metadata = new Metadata({ waitForReady: isPatient })
      const orders = shop.orders()
      const ask = async (): Promise<string> => `${await orders.ask('a', metadata)} ${currentContext().tenant ?? 'none'}`
      const calls = [
        ask(),
        runWithTenant('feature-x', ask),
        runWithTenant('feature-y', ask),
        orders.collect(['b', 'c']),
      ]
      await eventually(() => expect(old.open).toBeGreaterThan(0))
      await shop.place({ 'feature-x': [own.port] })
      await shop.place({ integration: [moved.port] })
      expect(await Promise.all(calls)).toEqual([
        'moved none a none',
        'own feature-x a feature-x',
        'moved feature-y a feature-y',
        'moved none bc',
      ])
      expect(shop.counted()).toEqual([
        [null, 2, 0],
        ['feature-x', 1, 0],
        ['feature-y', 1, 0],
      ])
    },
  )

  it('falls back with its service', async () => {
    const old = await silent()
    await shop.place({ integration: [live.port], 'feature-x': [old.port] })
    const asked = runWithTenant('feature-x', () => shop.orders().ask())
    await eventually(() => expect(old.open).toBe(1))
    await shop.place({ 'feature-x': null })
    expect(await asked).toBe('live feature-x a')
  })

  it('follows with all that it has written meanwhile, in its order', async () => {
    const old = await silent()
    await shop.place({ integration: [old.port, live.port] })
    const pieces = Array.from({ length: 40 }, (_, index) => String(index % 10).repeat(64 * 1024))
    const collected = shop.orders().collect(pieces)
    await eventually(() => expect(old.open).toBe(1))
    old.refuse()
    expect(await collected).toBe(`live none ${pieces.join('')}`)
  })

  it('moves once: it fails when nobody is at the second address either', async () => {
    await shop.place({ integration: [await nobody(), await nobody(), live.port] })
    await expect(shop.orders().ask()).rejects.toMatchObject({ code: status.UNAVAILABLE })
    expect([live.served, shop.counted()]).toEqual([[], [[null, 1, 1]]])
  })

  it('fails as at once as ever when its service is nowhere else', async () => {
    await shop.place({ integration: [await nobody()] })
    await expect(shop.orders().ask()).rejects.toMatchObject({ code: status.UNAVAILABLE })
    expect(shop.counted()).toEqual([[null, 1, 1]])
  })

  it('ends at its deadline, at the first address and at the second', async () => {
    const [first, second] = [await silent(), await silent()]
    const orders = shop.orders()
    for (const ports of [[first.port], [await nobody(), second.port]]) {
      await shop.place({ integration: ports })
      const asked = orders.ask('a', new Metadata(), { deadline: Date.now() + 300 })
      await expect(asked).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED })
    }
    expect(live.served).toEqual([])
  })

  it('stays cancelled', async () => {
    const old = await silent()
    await shop.place({ integration: [old.port, live.port] })
    const orders = shop.orders()
    const stream = orders.raw.makeServerStreamRequest('/Orders/list', Buffer.from, String, 'a')
    const ended = new Promise((resolve) => stream.on('error', resolve))
    stream.resume()
    await eventually(() => expect(old.open).toBe(1))
    stream.cancel()
    old.refuse()
    expect(await ended).toMatchObject({ code: status.CANCELLED })
    expect(await orders.ask()).toBe('live none a')
    expect(live.served).toEqual(['ask'])
  })

  it('ends with its channel, which makes no more', async () => {
    const old = await silent()
    await shop.place({ integration: [old.port, live.port] })
    const channel = shop.channel()
    const orders = shop.orders(channel)
    const asked = orders.ask()
    await eventually(() => expect(old.open).toBe(1))
    channel.close()
    await expect(asked).rejects.toMatchObject({ code: status.UNAVAILABLE })
    await expect(orders.ask()).rejects.toMatchObject({ code: status.UNAVAILABLE })
    expect(live.served).toEqual([])
  })
})

describe('a call that has moved', () => {
  it('is one call to interceptors, and brings metadata and credentials of the program', async () => {
    let started = 0
    const counting: Interceptor = (options, next) =>
      new InterceptingCall(next(options), {
        start: (metadata, listener, begin) => {
          started += 1
          metadata.set('from-interceptor', String(started))
          begin(metadata, listener)
        },
      })
    const token = new Metadata()
    token.set('authorization', 'Bearer of-the-program')
    const signed = credentials.createFromMetadataGenerator((_call, told) => told(null, token))
    await shop.place({ integration: [await nobody(), live.port] })
    const orders = shop.orders(shop.channel(), { interceptors: [counting] })
    const metadata = new Metadata()
    metadata.set('baggage', 'a=1')
    await runWithTenant('feature-y', () => orders.ask('a', metadata, { credentials: signed }))
    const got = ['authorization', 'from-interceptor', 'baggage', 'tributary-caller'].map((name) =>
      live.metadata[0]?.get(name).join(),
    )
    expect(got).toEqual(['Bearer of-the-program', '1', 'tributary-tenant=feature-y,a=1', 'web'])
  })

  it('is cancelled where it is', async () => {
    live.onCall = () => false
    await shop.place({ integration: [await nobody(), live.port] })
    const stream = shop.orders().raw.makeServerStreamRequest('/Orders/list', Buffer.from, String, 'a')
    const ended = new Promise((resolve) => stream.on('error', resolve))
    stream.resume()
    await eventually(() => expect(live.served).toEqual(['list']))
    stream.cancel()
    expect(await ended).toMatchObject({ code: status.CANCELLED })
    await eventually(() => expect(live.cancelled).toBe(1))
  })
})

describe('a connection that was kept', () => {
  it('carries its streams to their end when its address has left the system', async () => {
    await shop.place({ integration: [live.port] })
    const orders = shop.orders()
    const talk = orders.raw.makeBidiStreamRequest('/Orders/talk', Buffer.from, String)
    const heard: string[] = []
    talk.on('data', (answer: string) => heard.push(answer))
    talk.write('a')
    await eventually(() => expect(heard).toEqual(['live none a']))
    const next = await shop.serve('next')
    await shop.place({ integration: [next.port] })
    expect(await orders.ask()).toBe('next none a')
    talk.end('b')
    await once(talk, 'end')
    expect(heard).toEqual(['live none a', 'live none b'])
  })

  it('is no trap when its server has closed it while it was idle', async () => {
    const first = await shop.serve('first')
    const relay = new Relay(first.port)
    await shop.place({ integration: [await relay.listen()] })
    const orders = shop.orders()
    expect(await orders.ask()).toBe('first none a')
    await shop.place({ integration: [relay.port, live.port] })
    await relay.hangUp()
    expect([await orders.ask(), await orders.ask()]).toEqual(['live none a', 'live none a'])
    expect(first.served).toHaveLength(1)
  })
})

/** Carries connections to a port, and knows when their clients have seen the end of them. */
class Relay {
  readonly #server: Server
  readonly #clients = new Set<Socket>()
  port = 0

  constructor(port: number) {
    this.#server = createServer((client) => {
      this.#clients.add(client)
      client.on('error', () => undefined)
      const onward = connect(port, '127.0.0.1').on('error', () => undefined)
      client.pipe(onward, { end: false })
      onward.pipe(client, { end: false })
      client.on('close', () => onward.destroy())
    })
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.port = portOf(this.#server)
    return this.port
  }

  /** Ends all connections. A client that has seen the end ends its side too, and then nobody listens any more. */
  async hangUp(): Promise<void> {
    this.#server.close()
    const closed = [...this.#clients].map((client) => new Promise((resolve) => client.once('close', resolve)))
    for (const client of this.#clients) client.end()
    await Promise.all(closed)
  }
}
