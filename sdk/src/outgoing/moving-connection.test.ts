import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { handOver } from './moving-connection.js'

let servers: Server[]
let sockets: Socket[]

beforeEach(() => {
  servers = []
  sockets = []
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await Promise.all(servers.map(close))
})

async function listen(): Promise<number> {
  const server = createServer()
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no address')
  return address.port
}

async function close(server: Server): Promise<void> {
  if (server.listening) await new Promise((resolve) => server.close(resolve))
}

/** A port that refuses. */
async function deadPort(): Promise<number> {
  const port = await listen()
  await Promise.all(servers.splice(0).map(close))
  return port
}

function begin(port: number): Socket {
  const socket = connect(port, '127.0.0.1')
  sockets.push(socket)
  return socket
}

/** What is handed over for a connection to a port, when the service is at `elsewhere` by then. */
function handedOver(port: number, elsewhere: number | undefined): Promise<Socket | Error> {
  return new Promise((resolve) => {
    handOver(begin(port), {
      callback: (error, socket) => resolve(error ?? socket ?? new Error('nothing was handed over')),
      elsewhere: () => (elsewhere === undefined ? undefined : begin(elsewhere)),
    })
  })
}

describe('handOver', () => {
  it('hands over a connection that stands', async () => {
    const port = await listen()
    expect(await handedOver(port, undefined)).toBe(sockets[0])
  })

  it('hands over the one elsewhere when it is refused, and the refusal when there is none', async () => {
    const dead = await deadPort()
    const port = await listen()
    expect(await handedOver(dead, port)).toBe(sockets[1])
    expect(await handedOver(dead, undefined)).toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('moves what was refused while the process was kept busy beyond the time for it', async () => {
    const dead = await deadPort()
    const port = await listen()
    const result = handedOver(dead, port)
    const busyUntil = performance.now() + 400
    while (performance.now() < busyUntil);
    expect(await result).toBe(sockets[1])
  })
})
