import { connect, type Socket } from 'node:net'
import { SseParser } from '@tributary/kit'
import { serveParent } from './child.js'

/** What became of the reconnects. */
export interface StormResult {
  readonly elapsedMs: number
  readonly refused: number
  readonly behind: number
}

type Message =
  | { readonly port: number; readonly token: string; readonly count: number }
  | { readonly drop: true }
  | { readonly reconnect: number }

/** Connecting in waves, where it is not the storm. */
const WAVE = 250
const DEADLINE_MS = 120_000

/** One subscriber: its connection, and where it would go on. */
interface Client {
  socket: Socket | undefined
  cursor: string | undefined
}

const clients: Client[] = []
let server = { port: 0, token: '' }

serveParent(async (parameter) => {
  const message = parameter as Message
  if ('count' in message) return connectAll(message)
  if ('drop' in message) return dropAll()
  return reconnectAll(message.reconnect)
})

async function connectAll({ port, token, count }: { port: number; token: string; count: number }): Promise<object> {
  server = { port, token }
  clients.push(...Array.from({ length: count }, () => ({ socket: undefined, cursor: undefined })))
  for (let start = 0; start < count; start += WAVE) {
    const wave = clients.slice(start, start + WAVE)
    await Promise.all(wave.map((client) => follow(client, 0)))
  }
  return { connected: count }
}

async function dropAll(): Promise<object> {
  const closed = clients.map(
    ({ socket }) => new Promise((resolve) => (socket === undefined ? resolve(null) : socket.once('close', resolve))),
  )
  for (const { socket } of clients) socket?.resetAndDestroy()
  await Promise.all(closed)
  return {}
}

async function reconnectAll(sequence: number): Promise<StormResult> {
  const startedAt = performance.now()
  const results = await Promise.allSettled(clients.map((client) => follow(client, sequence)))
  const failed = results.filter(({ status }) => status === 'rejected')
  const behind = failed.filter((result) => String((result as PromiseRejectedResult).reason).includes('deadline'))
  return { elapsedMs: performance.now() - startedAt, refused: failed.length - behind.length, behind: behind.length }
}

/** Connects where the client was, and resolves when it holds the view with the value `sequence`. */
function follow(client: Client, sequence: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true })
    client.socket = socket
    const timer = setTimeout(() => reject(new Error('deadline')), DEADLINE_MS)
    const after = client.cursor === undefined ? '' : `&after=${client.cursor}`
    const path = `/v1/tenants/integration/stream?service=service-0${after}`
    socket.write(`GET ${path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer ${server.token}\r\n\r\n`)
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('closed')))
    const parser = new SseParser()
    socket.on('data', (chunk) => {
      for (const { id, data } of parser.push(chunk)) {
        if (id !== '') client.cursor = id
        if (!data.includes(`"sequence":${sequence}`)) continue
        clearTimeout(timer)
        resolve()
      }
    })
  })
}
