import { AsyncResource } from 'node:async_hooks'
import { EventEmitter, once } from 'node:events'
import { createServer, request as httpRequest, type RequestListener, type Server } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import express from 'express'
import fastify from 'fastify'
import Koa from 'koa'
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from 'vitest'
import { tributaryContext as expressContext } from '../express.js'
import { tributaryContext as fastifyContext } from '../fastify.js'
import { tributaryContext as koaContext } from '../koa.js'
import { Fleet } from '../outgoing/fleet.test-support.js'
import type { Tributary } from '../tributary.js'
import { withRoutingContext } from './http-listener.js'
import { withStreamContext } from './http2-stream-listener.js'
import { currentContext } from './routing-context.js'

let fleet: Fleet
let client: Tributary
const servers: Server[] = []
const endings: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  fleet = new Fleet()
  await fleet.start(['integration/orders', 'feature-x/orders', 'feature-y/orders'])
  client = await fleet.client()
})
afterEach(async () => {
  await Promise.all(endings.splice(0).map((end) => end()))
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})
afterAll(async () => {
  await fleet.stop()
})

const tenantNow = (): string => currentContext().tenant ?? 'none'

/** All that a handler can do before it needs its context. Answers the tenants that it saw on the way. */
const TRAPS: Readonly<Record<string, () => Promise<string[]>>> = {
  'a promise': async () => [await Promise.resolve().then(tenantNow)],
  'a timer': async () => [await new Promise<string>((resolve) => setTimeout(() => resolve(tenantNow()), 3))],
  'setImmediate and nextTick': async () => [
    await new Promise<string>((resolve) => setImmediate(() => process.nextTick(() => resolve(tenantNow())))),
    await new Promise<string>((resolve) => queueMicrotask(() => resolve(tenantNow()))),
  ],
  'an exception': async () => {
    await Promise.reject(new Error('expected')).catch(() => undefined)
    try {
      throw new Error('expected')
    } catch {
      await delay(1)
      return [tenantNow()]
    }
  },
  'an emitter of its own': async () => {
    const emitter = new EventEmitter()
    const seen = new Promise<string>((resolve) => emitter.once('done', () => resolve(tenantNow())))
    setTimeout(() => emitter.emit('done'), 1)
    return [await seen]
  },
  'a stream': async () => {
    const seen: string[] = []
    const watch = new Transform({
      transform(chunk, _encoding, next) {
        seen.push(tenantNow())
        setTimeout(() => next(null, chunk), 1)
      },
    })
    await pipeline(Readable.from(['a', 'b', 'c']), watch, async (chunks) => {
      for await (const chunk of chunks) seen.push(chunk === '' ? '' : tenantNow())
    })
    return seen
  },
  'a pool shared by all requests, by a bound task': async () => {
    return [await new Promise<string>((resolve) => pool.push(AsyncResource.bind(() => resolve(tenantNow()))))]
  },
}

/** One worker loop for everybody: without `AsyncResource.bind` its tasks would run in the context of whoever woke it. */
const pool = {
  tasks: [] as (() => void)[],
  running: false,
  push(task: () => void): void {
    this.tasks.push(task)
    if (!this.running) void this.run()
  },
  async run(): Promise<void> {
    this.running = true
    for (let task = this.tasks.shift(); task !== undefined; task = this.tasks.shift()) {
      await delay(1)
      task()
    }
    this.running = false
  },
}

async function allTraps(): Promise<string[]> {
  const seen: string[] = []
  for (const trap of Object.values(TRAPS)) seen.push(...(await trap()))
  return seen
}

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

/** Reads the body by events, the oldest way, and answers from the last of them. */
const byEvents: RequestListener = (incoming, outgoing) => bodyByEvents(client)(incoming, outgoing)
const bodyByEvents = (of: Tributary): RequestListener =>
  withRoutingContext(of, (request, response) => {
    const seen: string[] = []
    request.on('data', () => seen.push(tenantNow()))
    request.on('end', () => {
      seen.push(tenantNow())
      void allTraps().then((more) => response.end(JSON.stringify([...seen, ...more])))
    })
    response.on('finish', () => finished.emit('finish', tenantNow()))
  })
const finished = new EventEmitter()

const SERVERS: Readonly<Record<string, () => Promise<string>>> = {
  'node:http, body by events': () => listen(byEvents),
  'node:http, body by iteration': () =>
    listen(
      withRoutingContext(client, async (request, response) => {
        const seen: string[] = []
        for await (const chunk of request) seen.push(chunk === '' ? '' : tenantNow())
        response.end(JSON.stringify([...seen, ...(await allTraps())]))
      }),
    ),
  'express, after its body parser': async () => {
    const app = express()
    app.use(expressContext(client), express.json())
    app.post('/', async (_request, response) => {
      response.json([tenantNow(), ...(await allTraps())])
    })
    return listen(app)
  },
  'express, before its body parser came': async () => {
    const app = express()
    app.use(express.json(), expressContext(client))
    app.post('/', async (_request, response) => {
      response.json([tenantNow(), ...(await allTraps())])
    })
    return listen(app)
  },
  'koa, with a body read by events': async () => {
    const app = new Koa()
    app.use(koaContext(client))
    app.use(async (exchange) => {
      const seen: string[] = []
      exchange.req.on('data', () => seen.push(tenantNow()))
      await once(exchange.req, 'end')
      exchange.body = JSON.stringify([...seen, tenantNow(), ...(await allTraps())])
    })
    return listen((request, response) => void app.callback()(request, response))
  },
  'fastify, after its body parser': async () => {
    const app = fastify()
    await app.register(fastifyContext, { client })
    app.addHook('preHandler', async (request) => {
      await delay(1)
      request.headers['x-seen'] = tenantNow()
    })
    app.post('/', async (request) => [String(request.headers['x-seen']), tenantNow(), ...(await allTraps())])
    endings.push(() => app.close())
    return app.listen({ port: 0, host: '127.0.0.1' })
  },
  'fastify, in another plugin': async () => {
    const app = fastify()
    await app.register(fastifyContext, { client })
    await app.register(async (inner) => {
      inner.post('/', async () => [tenantNow(), ...(await allTraps())])
    })
    endings.push(() => app.close())
    return app.listen({ port: 0, host: '127.0.0.1' })
  },
}

async function post(url: string, baggage: string | undefined): Promise<string[]> {
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  if (baggage !== undefined) headers['baggage'] = baggage
  const answer = await fetch(url, {
    method: 'POST',
    body: JSON.stringify({ text: 'x'.repeat(200_000) }).slice(0, 90_000) + '"}',
    headers,
  })
  return (await answer.json()) as string[]
}

describe.each(Object.keys(SERVERS))('%s', (name) => {
  const start = () => SERVERS[name]?.() ?? Promise.reject(new Error(name))

  it('handles each request in its own context, whatever it waits for, with many at once', async () => {
    const url = await start()
    const tenants = Array.from(
      { length: 60 },
      (_, index) => ['feature-x', 'feature-y', 'integration', undefined][index % 4],
    )
    const answers = await Promise.all(
      tenants.map((tenant) => post(url, tenant === undefined ? undefined : `a=1,tributary-tenant=${tenant}`)),
    )
    for (const [index, seen] of answers.entries()) {
      expect(seen.length).toBeGreaterThan(10)
      expect(new Set(seen)).toEqual(new Set([tenants[index] ?? 'none']))
    }
    expect(tenantNow()).toBe('none')
  })

  it('forgets the tenant between requests of one connection', async () => {
    const url = await start()
    for (const tenant of ['feature-x', undefined, 'feature-y', undefined]) {
      const seen = await post(url, tenant === undefined ? undefined : `tributary-tenant=${tenant}`)
      expect(new Set(seen)).toEqual(new Set([tenant ?? 'none']))
    }
  })
})

describe('withRoutingContext', () => {
  it('keeps the context for the events of the response', async () => {
    const url = await listen(byEvents)
    const finish = once(finished, 'finish')
    await post(url, 'tributary-tenant=feature-x')
    expect(await finish).toEqual(['feature-x'])
  })

  it('enters once when an app inside enters again', async () => {
    const app = express()
    app.use(expressContext(client))
    app.get('/', (_request, response) => void response.json([tenantNow()]))
    const url = await listen(withRoutingContext(client, (request, response) => void app(request, response)))
    const answer = await fetch(url, { headers: { baggage: 'tributary-tenant=gone' } })
    expect(await answer.json()).toEqual(['none'])
    expect(client.routing.refusals.tenant_unknown).toBe(1)
  })

  it('does not let a handler that throws spoil the next request', async () => {
    const listener = withRoutingContext(client, () => {
      throw new Error('expected')
    })
    const emitter = Object.assign(new EventEmitter(), { headers: { baggage: 'tributary-tenant=feature-x' } })
    expect(() => listener(emitter as never, new EventEmitter() as never)).toThrow('expected')
    expect(tenantNow()).toBe('none')
  })

  it('serves HTTP/2 streams of one connection, each in its context', async () => {
    const server = createHttp2Server(
      withRoutingContext(client, (request, response) => {
        request.on('data', () => undefined)
        request.on('end', () => void allTraps().then((seen) => response.end(JSON.stringify([tenantNow(), ...seen]))))
      }),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const session = connectHttp2(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`)
    endings.push(async () => {
      session.destroy()
      await new Promise((resolve) => server.close(resolve))
    })
    const ask = async (tenant: string): Promise<string[]> => {
      const stream = session.request({ ':path': '/', ':method': 'POST', baggage: `tributary-tenant=${tenant}` })
      stream.end('body')
      let text = ''
      for await (const chunk of stream) text += String(chunk)
      return JSON.parse(text) as string[]
    }
    const tenants = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 'feature-x' : 'feature-y'))
    const answers = await Promise.all(tenants.map(ask))
    expect(answers.map((seen) => [...new Set(seen)])).toEqual(tenants.map((tenant) => [tenant]))
  })

  it('serves HTTP/2 streams without a request listener, each in its context', async () => {
    const server = createHttp2Server()
    server.on(
      'stream',
      withStreamContext(client, (stream) => {
        stream.on('data', () => undefined)
        stream.on('end', () => void allTraps().then((seen) => stream.end(JSON.stringify([tenantNow(), ...seen]))))
      }),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const session = connectHttp2(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`)
    endings.push(async () => {
      session.destroy()
      await new Promise((resolve) => server.close(resolve))
    })
    const tenants = ['feature-x', 'feature-y', 'feature-x', 'none', 'feature-y']
    const answers = await Promise.all(
      tenants.map(async (tenant) => {
        const baggage = tenant === 'none' ? {} : { baggage: `tributary-tenant=${tenant}` }
        const stream = session.request({ ':path': '/', ':method': 'POST', ...baggage })
        stream.end('body')
        let text = ''
        for await (const chunk of stream) text += String(chunk)
        return JSON.parse(text) as string[]
      }),
    )
    expect(answers.map((seen) => [...new Set(seen)])).toEqual(tenants.map((tenant) => [tenant]))
  })

  test.each([
    [['a=1', 'tributary-tenant=feature-x'], 'feature-x'],
    [['tributary-tenant=feature-x', 'tributary-tenant=feature-y'], 'none'],
    [['tributary-tenant=production'], 'none'],
    [['tributary-tenant=feature-x%0d%0aset-cookie:%20a=1'], 'none'],
    [[`a=${'x'.repeat(9_000)}`, 'tributary-tenant=feature-x'], 'feature-x'],
    [['tributary-tenant=feature-x;ttl=1', 'b', '=', 'c=";"'], 'feature-x'],
  ])('reads headers sent as %j', async (values, tenant) => {
    const url = new URL(await listen(withRoutingContext(client, (_request, response) => response.end(tenantNow()))))
    const seen = await new Promise<string>((resolve, reject) => {
      const headers = values.flatMap((value) => ['baggage', value])
      const sent = httpRequest(url, { headers: ['host', url.host, ...headers] }, (response) => {
        response.setEncoding('utf8').once('data', resolve)
      })
      sent.on('error', reject)
      sent.end()
    })
    expect(seen).toBe(tenant)
  })

  it('does not reach into a worker thread: what it needs is handed over', async () => {
    const source = `const { parentPort, workerData } = require('node:worker_threads'); parentPort.postMessage(workerData)`
    const url = await listen(
      withRoutingContext(client, async (_request, response) => {
        const worker = new Worker(source, { eval: true, workerData: currentContext().tenant })
        const [handed] = (await once(worker, 'message')) as [string]
        response.end(JSON.stringify([handed, tenantNow()]))
      }),
    )
    const answer = await fetch(url, { headers: { baggage: 'tributary-tenant=feature-x' } })
    expect(await answer.json()).toEqual(['feature-x', 'feature-x'])
  })
})
