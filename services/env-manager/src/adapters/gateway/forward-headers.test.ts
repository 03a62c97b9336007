import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { eventually } from '@tributary/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLocalGateway, type LocalGateway } from './local-gateway.js'

const INNER = 'GET /admin HTTP/1.1\r\nHost: orders\r\nbaggage: tributary-tenant=integration\r\n\r\n'

let gateway: LocalGateway
let service: Server
let received: string
let connections: number

beforeEach(async () => {
  received = ''
  connections = 0
  service = createServer((socket) => {
    connections += 1
    socket.on('error', () => socket.destroy())
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      received += chunk
      // A service that knows no other protocol answers as if it had not been asked for one.
      if (/^upgrade:/im.test(chunk)) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno')
    })
  })
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
  const endpoint = {
    name: 'http',
    protocol: 'http',
    host: '127.0.0.1',
    port: (service.address() as AddressInfo).port,
  } as const
  gateway = createLocalGateway({
    host: '127.0.0.1',
    port: 0,
    resolve: (_service, owner) => ({ state: 'own', owner, endpoint }),
    listServices: () => [],
  })
  await gateway.start()
  await gateway.apply('feature-x')
})

afterEach(async () => {
  await gateway.close()
  await new Promise((resolve) => service.close(resolve))
})

/** What the service gets of a request whose body looks like another request. */
async function whatArrives(method: string, connection: string): Promise<string> {
  const socket = connect(gateway.port, '127.0.0.1')
  socket.on('error', () => socket.destroy())
  const head = `${method} /orders/ HTTP/1.1\r\nHost: feature-x.localhost:${gateway.port}\r\nConnection: ${connection}\r\n`
  socket.write(`${head}Content-Length: ${INNER.length}\r\n\r\n${INNER}`)
  await eventually(() => expect(received).toContain('GET /admin'))
  socket.destroy()
  return received
}

describe('a request with a body', () => {
  it.each(['GET', 'DELETE', 'POST'])('keeps its frame by %s, whatever the connection header names', async (method) => {
    const arrived = await whatArrives(method, 'keep-alive, Content-Length, host, baggage')
    const head = arrived.slice(0, arrived.indexOf('\r\n\r\n')).toLowerCase()
    expect(head).toContain(`content-length: ${INNER.length}`)
    expect(head).toContain(`host: feature-x.localhost:${gateway.port}`)
    expect(head).toContain('baggage: tributary-tenant=feature-x')
  })
})

describe('a request to switch protocols', () => {
  it('has a connection of its own, on which nobody follows who would be taken for its body', async () => {
    for (const nth of [1, 2]) {
      const socket = connect(gateway.port, '127.0.0.1')
      let answer = ''
      socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk))
      const head = `GET /orders/ HTTP/1.1\r\nHost: feature-x.localhost:${gateway.port}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n`
      socket.write(`${head}Content-Length: 1000\r\n\r\n`)
      await eventually(() => expect(answer).toContain('\r\n\r\nno'))
      expect(connections).toBe(nth)
      socket.destroy()
    }
  })
})
