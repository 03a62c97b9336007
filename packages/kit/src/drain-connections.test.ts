import { once } from 'node:events'
import { Agent, createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { drainConnections } from './drain-connections.js'

/** What a connection that nobody ends is kept for: far longer than these tests may take. */
const KEPT_MS = 600_000

/** More than what fits into the buffers between server and client. */
const LARGE_BYTES = 20_000_000

/** How long a condition may take to come true; a busy machine gives a thirtieth of a core. */
const WAIT = { timeout: 15_000, interval: 5 }

interface World {
  readonly server: Server
  readonly port: number
  readonly drain: () => void
  /** Answers of requests that are under way. */
  readonly waiting: ServerResponse[]
}

let open: World | undefined
/** Keeps its connections. */
const agent = new Agent({ keepAlive: true })

afterEach(async () => {
  agent.destroy()
  open?.server.closeAllConnections()
  open?.server.close()
})

async function start(): Promise<World> {
  const waiting: ServerResponse[] = []
  const timeouts = { keepAliveTimeout: KEPT_MS, headersTimeout: KEPT_MS, requestTimeout: KEPT_MS }
  const server = createServer(timeouts, (incoming, response) => {
    if (incoming.url === '/slow') waiting.push(response)
    else response.end('done')
  })
  server.on('upgrade', (_, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n')
    socket.pipe(socket)
  })
  const drain = drainConnections(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  open = { server, port: (server.address() as AddressInfo).port, drain, waiting }
  return open
}

async function ask(port: number, path: string): Promise<IncomingMessage> {
  const outgoing = request({ port, host: '127.0.0.1', path, agent }).end()
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  return answer
}

async function openSilent({ port, server }: World): Promise<Socket> {
  const accepted = once(server, 'connection')
  const socket = connect(port, '127.0.0.1')
  await accepted
  return socket
}

function close({ server, drain }: World): Promise<unknown> {
  const closed = once(server, 'close')
  drain()
  server.close()
  return closed
}

describe('drainConnections', () => {
  test('lets a server close although a client has opened a connection and asked nothing', async () => {
    const world = await start()
    const silent = await openSilent(world)
    await Promise.all([close(world), once(silent, 'close')])
    expect(silent.bytesRead).toBe(0)
  })

  test('lets a server close as soon as the request that is under way is answered, and cuts nothing of it', async () => {
    const world = await start()
    const asked = once(world.server, 'request')
    const answer = ask(world.port, '/slow').then((response) => text(response))
    await asked
    const closed = close(world)
    world.waiting[0]?.end('whole')
    expect(await answer).toBe('whole')
    await closed
  })

  test('answers the first request of a connection that was opened just before', async () => {
    const world = await start()
    const silent = await openSilent(world)
    const closed = close(world)
    silent.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    expect(await text(silent)).toMatch(/^HTTP\/1\.1 200 OK[^]*done/)
    await closed
  })

  test('cuts no answer that is written and not sent yet', async () => {
    const world = await start()
    const [answer, silent] = [ask(world.port, '/slow'), await openSilent(world)]
    await vi.waitUntil(() => world.waiting.length === 1, WAIT)
    world.waiting[0]?.flushHeaders()
    const unread = await answer
    const closed = close(world)
    world.waiting[0]?.end('x'.repeat(LARGE_BYTES))
    // Connections that nobody needs are ended meanwhile; this one nobody reads.
    await once(silent, 'close')
    expect((await text(unread)).length).toBe(LARGE_BYTES)
    await closed
  })

  test('leaves connections alone that speak another protocol by now', async () => {
    const world = await start()
    const [talking, silent] = [await openSilent(world), await openSilent(world)]
    let heard = ''
    talking.setEncoding('utf8').on('data', (chunk: string) => (heard += chunk))
    talking.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    await vi.waitUntil(() => heard.includes('done'), WAIT)
    talking.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n')
    await vi.waitUntil(() => heard.includes('101'), WAIT)
    const closed = close(world)
    await once(silent, 'close')
    talking.end('still there')
    await vi.waitUntil(() => heard.endsWith('still there'), WAIT)
    await closed
  })
})
