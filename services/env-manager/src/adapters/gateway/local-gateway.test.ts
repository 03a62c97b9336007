import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Endpoint } from '@tributary/contract'
import { until } from '../../ports/platform-contract.test-support.js'
import { isPortFree } from '../local/port-allocator.js'
import type { GatewayResolution } from './gateway-routing.js'
import { createLocalGateway, type LocalGateway } from './local-gateway.js'

interface Seen {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

const servers = new Set<Server>()
let gateway: LocalGateway
let table: Map<string, GatewayResolution>
let resolutions: number

beforeEach(async () => {
  table = new Map()
  resolutions = 0
  gateway = createLocalGateway({
    host: '127.0.0.1',
    port: 0,
    resolve: (service, environment) => {
      resolutions += 1
      return table.get(`${environment}/${service}`)
    },
    listServices: (environment) =>
      [...table]
        .filter(([key]) => key.startsWith(`${environment}/`))
        .map(([key, { state, owner }]) => ({ service: key.split('/')[1] ?? '', state, owner })),
  })
  await gateway.start()
  await gateway.apply('feature-x')
})
afterEach(async () => {
  await gateway.close()
  for (const server of servers) await closeServer(server)
  servers.clear()
})

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<Endpoint> {
  const server = createServer(handler)
  servers.add(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { name: 'http', protocol: 'http', host: '127.0.0.1', port }
}

/** A service that answers what it saw. */
function echo(): Promise<Endpoint> {
  return serve((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
    request.once('end', () => {
      const seen: Seen = { method: request.method, url: request.url, headers: request.headers, body }
      response.setHeader('x-custom', 'kept')
      response.end(JSON.stringify(seen))
    })
  })
}

function own(service: string, endpoint: Endpoint | undefined): void {
  table.set(`feature-x/${service}`, { state: 'own', owner: 'feature-x', endpoint })
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

interface Asking {
  readonly host?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

function ask(path: string, asking: Asking = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { host: asking.host ?? 'feature-x.localhost', ...asking.headers }
    const request = httpRequest(
      { host: '127.0.0.1', port: gateway.port, path, method: asking.method ?? 'GET', headers, agent: false },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.once('error', reject)
        response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
      },
    )
    request.once('error', reject)
    request.end(asking.body)
  })
}

async function seen(path: string, asking: Asking = {}): Promise<Seen> {
  return JSON.parse((await ask(path, asking)).text)
}

describe('requests', () => {
  test('reach the service with the environment as routing context, and say who answered', async () => {
    own('orders', await echo())
    const answer = await ask('/orders/list/%2F..?a=b&c', { headers: { baggage: 'user=7,tributary-tenant=evil' } })
    expect(answer.headers).toMatchObject({
      'x-tributary-environment': 'feature-x',
      'x-tributary-served-by': 'feature-x/orders',
      'x-custom': 'kept',
    })
    const { url, headers } = JSON.parse(answer.text)
    expect(url).toBe('/list/%2F..?a=b&c')
    expect(headers).toMatchObject({
      baggage: 'tributary-tenant=feature-x,user=7',
      host: 'feature-x.localhost',
      'x-forwarded-prefix': '/orders',
    })
  })

  test('for an inherited service keep the environment of the request', async () => {
    table.set('feature-x/stock', { state: 'inherited', owner: 'integration', endpoint: await echo() })
    const answer = await ask('/stock/')
    expect(answer.headers['x-tributary-served-by']).toBe('integration/stock')
    expect(JSON.parse(answer.text).headers.baggage).toBe('tributary-tenant=feature-x')
  })

  test('do not carry what belongs to one connection, or what a caller claims about its way here', async () => {
    own('orders', await echo())
    const { headers } = await seen('/orders/', {
      headers: {
        connection: 'close, X-Private',
        'x-private': '1',
        'keep-alive': 'timeout=5',
        te: 'trailers',
        'proxy-authorization': 'Basic x',
        'x-forwarded-for': '6.6.6.6',
        forwarded: 'for=6.6.6.6',
        'x-kept': '1',
      },
    })
    for (const name of ['x-private', 'keep-alive', 'te', 'proxy-authorization', 'forwarded'])
      expect(headers).not.toHaveProperty(name)
    expect(headers).toMatchObject({ 'x-kept': '1', 'x-forwarded-for': '127.0.0.1' })
  })

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'GET'])(
    'with %s carry a body of known and of unknown length',
    async (method) => {
      own('orders', await echo())
      const body = 'x'.repeat(100_000)
      expect(
        await seen('/orders/', { method, body, headers: { 'content-length': String(body.length) } }),
      ).toMatchObject({ method, body })
      expect(await seen('/orders/', { method, body, headers: { 'transfer-encoding': 'chunked' } })).toMatchObject({
        method,
        body,
      })
    },
  )

  test('without a slash after the service are led to one', async () => {
    own('orders', await echo())
    expect(await ask('/orders?a=b')).toMatchObject({ status: 308, headers: { location: '/orders/?a=b' } })
    expect(await seen('/orders', { method: 'POST', body: '1' })).toMatchObject({ url: '/', body: '1' })
  })

  test('get redirects that lead back through the gateway', async () => {
    const locations = [
      '/login',
      '/orders/done',
      '//elsewhere/x',
      'https://example.com/',
      'next',
      'http://feature-x.localhost/a',
    ]
    own(
      'orders',
      await serve((request, response) =>
        response.writeHead(302, { location: locations[Number(request.url?.slice(1))] }).end(),
      ),
    )
    const seenLocations = await Promise.all(
      locations.map(async (_, index) => (await ask(`/orders/${index}`)).headers.location),
    )
    expect(seenLocations).toEqual([
      '/orders/login',
      '/orders/done',
      '//elsewhere/x',
      'https://example.com/',
      'next',
      '/orders/a',
    ])
  })

  test('get a stream as it comes, and the service learns when its reader has gone', async () => {
    let gone = false
    let sendMore = (): void => undefined
    const endpoint = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      sendMore = () => response.write('data: 2\n\n')
      response.write('data: 1\n\n')
      response.once('close', () => (gone = true))
    })
    own('orders', endpoint)
    const request = httpRequest({
      host: '127.0.0.1',
      port: gateway.port,
      path: '/orders/',
      headers: { host: 'feature-x.localhost' },
      agent: false,
    }).end()
    let text = ''
    request.once('response', (response) =>
      response
        .setEncoding('utf8')
        .on('data', (chunk: string) => (text += chunk))
        .on('error', () => undefined),
    )
    request.on('error', () => undefined)
    await until(() => text === 'data: 1\n\n')
    sendMore()
    await until(() => text.includes('data: 2'))
    request.destroy()
    await until(() => gone)
    expect(text).toBe('data: 1\n\ndata: 2\n\n')
  })

  test('that are cut by the service are cut for the reader too', async () => {
    own(
      'orders',
      await serve((_, response) => {
        response.writeHead(200, { 'content-length': '1000' })
        response.write('half', () => response.socket?.destroy())
      }),
    )
    await expect(ask('/orders/')).rejects.toMatchObject({ code: 'ECONNRESET' })
  })
})

describe('failures', () => {
  test('tell which service is down', async () => {
    const endpoint = await echo()
    own('orders', endpoint)
    for (const server of servers) await closeServer(server)
    for (const method of ['GET', 'POST']) {
      const answer = await ask('/orders/', { method, ...(method === 'POST' ? { body: 'x'.repeat(1_000_000) } : {}) })
      expect(answer.status).toBe(502)
      expect(JSON.parse(answer.text)).toMatchObject({
        error: { code: 'GATEWAY_UPSTREAM_DOWN', details: { service: 'orders', owner: 'feature-x' } },
      })
    }
  })

  test('of a refused connection are repaired by looking again who answers', async () => {
    const moved = await echo()
    const old = { ...moved, port: await closedPort() }
    for (const method of ['GET', 'POST']) {
      resolutions = 0
      own('orders', old)
      const original = table.get.bind(table)
      table.get = (key) => (resolutions > 1 ? { state: 'own', owner: 'feature-x', endpoint: moved } : original(key))
      expect((await ask('/orders/', { method })).status).toBe(200)
      table.get = original
    }
  })

  test('explain a masked service, a missing one, one without an address, and one that does not speak http', async () => {
    const endpoint = await echo()
    table.set('feature-x/hidden', { state: 'masked', owner: 'feature-x', endpoint: undefined })
    own('orders', endpoint)
    own('nowhere', undefined)
    own('queue', { ...endpoint, protocol: 'tcp' })
    const codes = await Promise.all(
      ['hidden', 'missing', 'nowhere', 'queue'].map(async (service) => {
        const answer = await ask(`/${service}/`)
        return [answer.status, JSON.parse(answer.text).error.code]
      }),
    )
    expect(codes).toEqual([
      [404, 'GATEWAY_SERVICE_MASKED'],
      [404, 'GATEWAY_SERVICE_UNKNOWN'],
      [502, 'GATEWAY_UPSTREAM_DOWN'],
      [502, 'GATEWAY_UPSTREAM_DOWN'],
    ])
    expect((await ask('/missing/')).text).toContain('orders')
  })

  test('of an unknown environment list the known ones', async () => {
    await gateway.apply('feature-y')
    const answer = await ask('/', { host: 'feature-z.localhost' })
    expect(answer.status).toBe(404)
    expect(JSON.parse(answer.text).error).toMatchObject({
      code: 'GATEWAY_ENVIRONMENT_UNKNOWN',
      details: { environments: ['feature-x', 'feature-y'] },
    })
  })

  test('of an unknown environment are answered to people with a heading that they can read', async () => {
    const answer = await ask('/', { host: 'feature-z.localhost', headers: { accept: 'text/html' } })
    expect(answer.text).toContain('<h1>There is no such environment</h1>')
    expect(answer.text).toContain('<p>Error code: GATEWAY_ENVIRONMENT_UNKNOWN</p>')
  })

  test('of a foreign host reach nothing', async () => {
    own('orders', await echo())
    for (const host of ['evil.example', 'a.b.localhost', '<x>.localhost'])
      expect((await ask('/orders/', { host })).status).toBe(421)
    expect(resolutions).toBe(0)
  })

  test('show hostile names as text', async () => {
    own('orders', await echo())
    const answer = await ask('/<script>alert(1)<script>/', { headers: { accept: 'text/html' } })
    expect(answer.headers['content-type']).toContain('text/html')
    expect(answer.text).not.toContain('<script>')
    expect(answer.text).toContain('&lt;script&gt;')
  })
})

describe('an environment that is asleep', () => {
  test('is being woken by whoever asks for it, and answers again once it is applied', async () => {
    own('orders', await echo())
    const [wanted, used] = [[] as string[], [] as string[]]
    const stop = gateway.follow?.({
      wanted: (environment) => wanted.push(environment),
      used: (environment) => used.push(environment),
    })
    await gateway.suspend?.('feature-x')
    const program = await ask('/orders/')
    expect([program.status, program.headers['retry-after'], JSON.parse(program.text).error]).toMatchObject([
      503,
      '2',
      { code: 'GATEWAY_ENVIRONMENT_ASLEEP', retryable: true },
    ])
    const person = await ask('/', { headers: { accept: 'text/html' } })
    expect(person.status).toBe(503)
    expect(person.text).toContain('<h1>The environment is waking up</h1>')
    expect(person.text).toContain('<meta http-equiv="refresh" content="2">')
    expect([wanted, used]).toEqual([['feature-x', 'feature-x'], []])
    await gateway.apply('feature-x')
    expect((await ask('/orders/')).status).toBe(200)
    expect([wanted.length, used]).toEqual([2, ['feature-x']])
    stop?.()
    await ask('/orders/')
    expect(used).toHaveLength(1)
  })
})

describe('pages', () => {
  test('list the services of an environment, for programs and for people', async () => {
    own('orders', await echo())
    table.set('feature-x/stock', { state: 'inherited', owner: 'integration', endpoint: undefined })
    expect(JSON.parse((await ask('/')).text)).toEqual({
      environment: 'feature-x',
      services: [
        { service: 'orders', state: 'own', owner: 'feature-x', path: '/orders/' },
        { service: 'stock', state: 'inherited', owner: 'integration', path: '/stock/' },
      ],
    })
    const page = await ask('/', { headers: { accept: 'text/html,*/*' } })
    expect(page.text).toMatch(/<a href="\/stock\/">stock<\/a> <small>inherited from integration<\/small>/)
  })

  test('list the environments at the bare host', async () => {
    await gateway.apply('feature-y')
    const { environments } = JSON.parse((await ask('/', { host: `localhost:${gateway.port}` })).text)
    expect(environments).toEqual([
      { environment: 'feature-x', url: `http://feature-x.localhost:${gateway.port}/` },
      { environment: 'feature-y', url: `http://feature-y.localhost:${gateway.port}/` },
    ])
  })
})

describe('upgrades', () => {
  test('tie both connections together, with the routing context', async () => {
    let baggage: string | undefined
    const endpoint = await serve(() => undefined)
    for (const server of servers) {
      server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
        baggage = String(request.headers['baggage'])
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\nx-accepted: yes\r\n\r\n',
        )
        socket.pipe(socket)
      })
    }
    own('orders', endpoint)
    const client = await upgrade('/orders/socket', 'baggage: tributary-tenant=evil\r\n')
    await until(() => client.text().includes('\r\n\r\n'))
    expect(client.text()).toMatch(/^HTTP\/1\.1 101 [^]*x-accepted: yes[^]*x-tributary-served-by: feature-x\/orders/)
    client.socket.write('ping')
    await until(() => client.text().endsWith('ping'))
    expect(baggage).toBe('tributary-tenant=feature-x')
    client.socket.destroy()
  })

  test('that a service refuses, or that lead nowhere, are answered', async () => {
    own('orders', await serve((_, response) => response.writeHead(403).end('no')))
    for (const server of servers) server.removeAllListeners('upgrade')
    const refused = await upgrade('/orders/socket')
    await until(() => refused.closed())
    expect(refused.text()).toMatch(/^HTTP\/1\.1 403/)
    const missing = await upgrade('/missing/socket')
    await until(() => missing.closed())
    expect(missing.text()).toMatch(/^HTTP\/1\.1 404 [^]*GATEWAY_SERVICE_UNKNOWN/)
    own('down', { name: 'http', protocol: 'http', host: '127.0.0.1', port: await closedPort() })
    const down = await upgrade('/down/socket')
    await until(() => down.closed())
    expect(down.text()).toMatch(/^HTTP\/1\.1 502/)
  })

  test('end when the environment is removed', async () => {
    let upstreamClosed = false
    const endpoint = await serve(() => undefined)
    for (const server of servers) {
      server.on('upgrade', (_: IncomingMessage, socket: Socket) => {
        socket.write('HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n')
        socket
          .resume()
          .once('end', () => socket.end())
          .once('close', () => (upstreamClosed = true))
      })
    }
    own('orders', endpoint)
    const client = await upgrade('/orders/socket')
    await until(() => client.text().includes('101'))
    await gateway.remove('feature-x')
    await until(() => client.closed() && upstreamClosed)
    expect(await gateway.verifyGone('feature-x')).toEqual({ gone: true, evidence: expect.stringContaining('404') })
  })
})

describe('routes', () => {
  test('name the URL of an environment and of a service', () => {
    expect(gateway.urlOf('feature-x')).toBe(`http://feature-x.localhost:${gateway.port}/`)
    expect(gateway.urlOf('feature-x', 'orders')).toBe(`http://feature-x.localhost:${gateway.port}/orders/`)
  })

  test('are applied and removed any number of times, and looked at again', async () => {
    await gateway.apply('feature-x')
    expect(await gateway.verifyGone('feature-x')).toMatchObject({ gone: false })
    await gateway.remove('feature-x')
    await gateway.remove('feature-x')
    expect(await gateway.verifyGone('feature-x')).toMatchObject({ gone: true })
    await gateway.close()
    expect(await gateway.verifyGone('feature-x')).toMatchObject({ gone: true })
  })

  test('fail with one clear line when the port is in use', async () => {
    const second = createLocalGateway({
      host: '127.0.0.1',
      port: gateway.port,
      resolve: () => undefined,
      listServices: () => [],
    })
    await expect(second.start()).rejects.toMatchObject({
      code: 'GATEWAY_PORT_IN_USE',
      message: expect.stringMatching(/^[^\n]*in use[^\n]*$/),
    })
  })
})

async function closedPort(): Promise<number> {
  const endpoint = await serve(() => undefined)
  const server = [...servers].at(-1)
  if (server !== undefined) await closeServer(server)
  expect(await isPortFree(endpoint.port, '127.0.0.1')).toBe(true)
  return endpoint.port
}

async function upgrade(
  path: string,
  more = '',
): Promise<{ readonly socket: Socket; readonly text: () => string; readonly closed: () => boolean }> {
  const socket = connect(gateway.port, '127.0.0.1')
  let text = ''
  let closed = false
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
  socket.once('close', () => (closed = true)).on('error', () => undefined)
  socket.write(
    `GET ${path} HTTP/1.1\r\nhost: feature-x.localhost\r\nconnection: Upgrade\r\nupgrade: echo\r\n${more}\r\n`,
  )
  return { socket, text: () => text, closed: () => closed }
}

describe('a service that does not take connections', () => {
  /** Its port is free until `begin`; then it answers with what it heard. */
  async function late(): Promise<{ endpoint: Endpoint; begin: () => Promise<void>; heard: () => readonly string[] }> {
    const port = await closedPort()
    const heard: string[] = []
    const server = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
      request.once('end', () => {
        heard.push(`${request.method} ${body.length}`)
        response.end('late')
      })
    })
    server.on('upgrade', (_, socket: Socket) => {
      heard.push('upgrade')
      socket.write('HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n')
      socket.pipe(socket)
    })
    servers.add(server)
    const begin = (): Promise<void> => new Promise((resolve) => void server.listen(port, '127.0.0.1', resolve))
    return { endpoint: { name: 'http', protocol: 'http', host: '127.0.0.1', port }, begin, heard: () => heard }
  }

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'GET'])(
    'yet gets a %s with its body once, as soon as it does',
    async (method) => {
      const service = await late()
      own('orders', service.endpoint)
      const body = 'x'.repeat(200_000)
      const answer = ask('/orders/', { method, body, headers: { 'content-length': String(body.length) } })
      await until(() => resolutions > 2)
      await service.begin()
      expect(await answer).toMatchObject({ status: 200, text: 'late' })
      expect(service.heard()).toEqual([`${method} 200000`])
    },
  )

  test('yet gets a request to switch protocols as soon as it does', async () => {
    const service = await late()
    own('orders', service.endpoint)
    const client = await upgrade('/orders/socket')
    client.socket.write('early')
    await until(() => resolutions > 2)
    await service.begin()
    await until(() => client.text().endsWith('early'))
    expect(service.heard()).toEqual(['upgrade'])
    client.socket.destroy()
  })

  test('any more is given up after a few seconds, with a page that says so', async () => {
    own('orders', { name: 'http', protocol: 'http', host: '127.0.0.1', port: await closedPort() })
    const startedAt = performance.now()
    const answer = await ask('/orders/', { method: 'POST', body: 'x' })
    expect([answer.status, answer.text]).toEqual([502, expect.stringContaining('ECONNREFUSED')])
    expect(performance.now() - startedAt).toBeGreaterThan(2_000)
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })

  test('is not asked any more once its caller is gone', async () => {
    own('orders', { name: 'http', protocol: 'http', host: '127.0.0.1', port: await closedPort() })
    const client = connect(gateway.port, '127.0.0.1').on('error', () => undefined)
    client.write('POST /orders/ HTTP/1.1\r\nhost: feature-x.localhost\r\ncontent-length: 1\r\n\r\nx')
    await until(() => resolutions > 2)
    client.destroy()
    const service = await late()
    own('orders', service.endpoint)
    await service.begin()
    expect((await ask('/orders/')).text).toBe('late')
    expect(service.heard()).toEqual(['GET 0'])
  })

  test('gets one request once when it ends the connection in the middle', async () => {
    let heard = 0
    own(
      'orders',
      await serve((request) => {
        heard += 1
        request.socket.destroy()
      }),
    )
    expect((await ask('/orders/', { method: 'POST', body: 'x' })).status).toBe(502)
    expect(heard).toBe(1)
  })

  test('and never refuses them either is left for whoever answers at the next attempt, by any method', async () => {
    const silent = await silentPort()
    const dead = { name: 'http', protocol: 'http', host: '127.0.0.1', port: silent.port } as const
    const living = await echo()
    const original = table.get.bind(table)
    try {
      for (const method of ['GET', 'POST']) {
        resolutions = 0
        own('orders', dead)
        table.get = (key) => (resolutions > 2 ? { state: 'own', owner: 'feature-x', endpoint: living } : original(key))
        const answer = await ask('/orders/', { method, ...(method === 'POST' ? { body: 'x'.repeat(100_000) } : {}) })
        expect([method, answer.status]).toEqual([method, 200])
      }
    } finally {
      table.get = original
      silent.end()
    }
  })

  test('and never refuses them either is given up as soon', async () => {
    const silent = await silentPort()
    own('orders', { name: 'http', protocol: 'http', host: '127.0.0.1', port: silent.port })
    const startedAt = performance.now()
    const answer = await ask('/orders/')
    silent.end()
    expect(answer.status).toBe(502)
    expect(answer.text).toContain('ETIMEDOUT')
    expect(performance.now() - startedAt).toBeGreaterThan(2_000)
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })
})

/** A port whose queue of connections is full and stays so: the process that should take them is stopped. */
async function silentPort(): Promise<{ readonly port: number; readonly end: () => void }> {
  const script =
    "const s=require('net').createServer().listen({port:0,host:'127.0.0.1',backlog:1},()=>console.log(s.address().port))"
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const port = Number(line.toString())
  child.kill('SIGSTOP')
  const waiting: Socket[] = []
  const isTaken = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1')
      waiting.push(socket)
      socket.on('error', () => undefined)
      socket.once('connect', () => resolve(true))
      setTimeout(() => resolve(false), 300)
    })
  while (await isTaken()) expect(waiting.length).toBeLessThan(20)
  const end = (): void => {
    for (const socket of waiting) socket.destroy()
    child.kill('SIGKILL')
  }
  return { port, end }
}
