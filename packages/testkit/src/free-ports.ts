import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/**
 * Ports of 127.0.0.1 that are free now, all different: they are held together before any is let go. They lie below those that Linux
 * gives to outgoing connections and to servers that ask for any port, so that none of these takes one before, or while, its server is down.
 */
export async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = []
  while (held.length < count) {
    const server = await tryToListen(randomInt(20_000, 32_000))
    if (server !== undefined) held.push(server)
  }
  const ports = held.map(portOf)
  for (const server of held) {
    server.close()
    await once(server, 'close')
  }
  return ports
}

/** One of {@link freePorts}. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1)
  return port
}

/** Undefined when the port is taken. */
async function tryToListen(port: number): Promise<Server | undefined> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return server
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined
    throw error
  }
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server does not listen')
  return address.port
}
