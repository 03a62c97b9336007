import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Agent, Dispatcher, upgrade } from 'undici'
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import { eventually } from '@tributary/testkit'
import { createLanes, ServiceConnections, type Lane, type Lanes } from './service-connections.js'
import { callerNow, routedHandler } from './routed-handler.js'

let server: Server
let origin: string
let lanes: Lanes
const sockets = new Set<Socket>()
let opened = 0
/** Answers that wait until the test lets them go. */
const held: ServerResponse[] = []

beforeEach(async () => {
  opened = 0
  server = createServer((request, response) => {
    if (request.url === '/hold') held.push(response)
    else if (request.url === '/last') response.writeHead(200, { connection: 'close' }).end('last')
    else response.end('done')
  })
  server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n')
    socket.pipe(socket)
  })
  server.on('connection', (socket) => {
    opened += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  lanes = new ServiceConnections({})
})
afterEach(async () => {
  await lanes.destroy(null)
  for (const response of held.splice(0)) response.destroy()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

/** Sends each call on a lane, and gives the lane back as the SDK's dispatcher does it. */
class LaneDispatcher extends Dispatcher {
  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const lane: Lane = lanes.take(String(options.origin))
    let isSent = false
    const watch = {
      caller: callerNow(),
      sent: () => void (isSent = true),
      answered: () => undefined,
      completed: () => lane.release(true),
      upgraded: () => lane.release(false),
      failed: () => {
        lane.release(!isSent)
        return false
      },
    }
    return lane.dispatcher.dispatch(options, routedHandler(handler, watch))
  }
}
const dispatcher = new LaneDispatcher()

async function call(path = '/', more: Partial<Dispatcher.RequestOptions> = {}): Promise<string> {
  const { body } = await dispatcher.request({ origin, path, method: 'GET', ...more })
  return body.text()
}

describe('ServiceConnections', () => {
  it('opens as many connections as there are calls at once, and uses them again', async () => {
    await Promise.all([call(), call(), call()])
    expect(opened).toBe(3)
    for (let index = 0; index < 5; index += 1) expect(await call()).toBe('done')
    await Promise.all([call(), call(), call()])
    expect(opened).toBe(3)
  })

  it('never lets a call wait for the answer to another one', async () => {
    const first = call('/hold')
    await eventually(() => expect(held).toHaveLength(1))
    expect(await call()).toBe('done')
    held.pop()?.end('late')
    expect(await first).toBe('late')
    expect(opened).toBe(2)
  })

  it('forgets a connection that its server has closed, and opens another one', async () => {
    expect(await call('/last')).toBe('last')
    expect(await call()).toBe('done')
    server.closeIdleConnections()
    await eventually(() => expect(sockets.size).toBe(0))
    expect(await call()).toBe('done')
    expect(opened).toBe(3)
  })

  it('does not use the connection of a call that was aborted', async () => {
    const abort = new AbortController()
    const aborted = call('/hold', { signal: abort.signal })
    await eventually(() => expect(held).toHaveLength(1))
    abort.abort()
    await expect(aborted).rejects.toThrow('aborted')
    expect(await call()).toBe('done')
    expect(opened).toBe(2)
    await eventually(() => expect(sockets.size).toBe(1))
  })

  it('keeps the connection when a call is refused before it is sent', async () => {
    await call()
    await expect(call('/', { headers: { 'not a name': '1' } })).rejects.toThrow('invalid header')
    expect(await call()).toBe('done')
    expect(opened).toBe(1)
  })

  it('hands a connection over for good when it is upgraded', async () => {
    const { socket } = await upgrade(origin, { dispatcher, protocol: 'echo' })
    expect(await call()).toBe('done')
    const echoed = new Promise((resolve) => socket.once('data', (chunk) => resolve(String(chunk))))
    socket.write('hello')
    expect(await echoed).toBe('hello')
    socket.destroy()
    expect(opened).toBe(2)
  })

  it('fails calls to where nobody listens, and reaches who comes to listen there', async () => {
    const { port } = new URL(origin)
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await expect(call()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await new Promise<void>((resolve) => server.listen(Number(port), '127.0.0.1', resolve))
    expect(await call()).toBe('done')
  })

  it('waits for calls under way when it is closed, and takes no others', async () => {
    const under = call('/hold')
    await eventually(() => expect(held).toHaveLength(1))
    const closed = lanes.close()
    await expect(call()).rejects.toMatchObject({ code: 'UND_ERR_CLOSED' })
    held.pop()?.end('late')
    expect(await under).toBe('late')
    await closed
    await eventually(() => expect(sockets.size).toBe(0))
  })

  it('fails calls under way when it is destroyed', async () => {
    const under = call('/hold')
    await eventually(() => expect(held).toHaveLength(1))
    const ended = expect(under).rejects.toThrow('enough')
    await lanes.destroy(new Error('enough'))
    await ended
    await expect(call()).rejects.toMatchObject({ code: 'UND_ERR_CLOSED' })
  })
})

test('options about how connections are shared are left to undici’s agent', async () => {
  lanes = createLanes({ connections: 1 })
  expect(lanes.take(origin).dispatcher).toBeInstanceOf(Agent)
  await Promise.all([call(), call(), call()])
  expect(opened).toBe(1)
  lanes = createLanes({ headersTimeout: 1_000, connect: { timeout: 1_000 } })
  expect(lanes).toBeInstanceOf(ServiceConnections)
  expect(await call()).toBe('done')
})
