import { once } from 'node:events'
import { createServer, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { request } from 'undici'
import { Fleet } from '../outgoing/fleet.test-support.js'
import type { Tributary } from '../tributary.js'
import { createDispatcher } from '../undici.js'
import { currentContext } from './routing-context.js'
import { withUpgradeContext } from './upgrade-listener.js'

let fleet: Fleet
let client: Tributary
let server: Server
let leaks: string[]
/** The server's ends of the connections: node does not close them with it. */
let accepted: Duplex[]

/** A shared copy of `chat`, of which only feature-y has its own. It tells on each line that it gets for whom it got it. */
beforeEach(async () => {
  fleet = new Fleet()
  leaks = []
  accepted = []
  await fleet.start(['integration/chat', 'integration/payments', 'feature-x/orders', 'feature-y/chat'])
  client = await fleet.client({
    service: 'chat',
    onDiagnostic: ({ code, message }) => void (code === 'context_lost' && leaks.push(message)),
  })
  server = createServer()
  const listener = withUpgradeContext(client, (_request, socket) => {
    accepted.push(socket)
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: lines\r\n\r\n')
    socket.on('data', () => {
      const now = currentContext().tenant ?? 'none'
      setTimeout(() => socket.write(`${now} ${currentContext().tenant ?? 'none'}\n`), 1)
    })
  })
  server.on('upgrade', listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  const closed = new Promise((resolve) => server.close(resolve))
  for (const socket of accepted) socket.destroy()
  await closed
  await fleet.stop()
})

async function open(tenant: string): Promise<Duplex> {
  const { port } = server.address() as AddressInfo
  const headers = { connection: 'upgrade', upgrade: 'lines', ...(tenant !== 'none' && { baggage: baggageOf(tenant) }) }
  const sent = httpRequest({ host: '127.0.0.1', port, path: '/talk', headers })
  sent.end()
  const [, socket] = (await once(sent, 'upgrade')) as [unknown, Duplex]
  return socket
}

const baggageOf = (tenant: string): string => `tributary-tenant=${tenant}`

async function say(socket: Duplex): Promise<string> {
  const answer = once(socket, 'data')
  socket.write('hello\n')
  return String(await answer).trim()
}

describe('withUpgradeContext', () => {
  it('keeps each connection in the context of the request that opened it, for everything that comes over it', async () => {
    const tenants = ['feature-x', 'none', 'integration', 'feature-x']
    const sockets = await Promise.all(tenants.map(open))
    for (let round = 0; round < 3; round += 1) {
      expect(await Promise.all(sockets.map(say))).toEqual(tenants.map((tenant) => `${tenant} ${tenant}`))
    }
    for (const socket of sockets) socket.destroy()
    expect(leaks).toEqual([])
  })

  it('does not take the process’s own work for that of a connection that stays open', async () => {
    const socket = await open('feature-x')
    await say(socket)
    const dispatcher = createDispatcher(client)
    await request('http://payments/', { dispatcher }).then(({ body }) => body.dump())
    expect(leaks).toEqual([])
    socket.destroy()
    await dispatcher.close()
  })

  it('sees connections that belong to another copy', async () => {
    const socket = await open('feature-y')
    expect(leaks).toEqual([expect.stringContaining('chat: GET /talk of feature-y came here')])
    socket.destroy()
  })
})
