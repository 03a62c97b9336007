import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { serveParent } from '../child.js'

/** The floor: a bare socket server that writes the same bytes to every connection, and does nothing else. */
const sockets = new Set<Socket>()
const server = createServer((socket) => {
  sockets.add(socket)
  socket.on('data', () => undefined)
  socket.on('error', () => undefined)
  socket.on('close', () => sockets.delete(socket))
})

serveParent(async (parameter) => {
  const message = parameter as { readonly start?: true; readonly publish?: string }
  if (message.publish !== undefined) {
    const bytes = Buffer.from(message.publish)
    for (const socket of sockets) socket.write(bytes)
    return { sockets: sockets.size }
  }
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 8_192 }, resolve))
  return { port: (server.address() as AddressInfo).port }
})
