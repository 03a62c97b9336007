import { connect, type Socket } from 'node:net'
import { SseParser } from '@tributary/kit'
import { pushToParent, serveParent } from '../child.js'

/** Opens one connection for each request; each holds the value of the newest frame, as an application would. */
interface Start {
  readonly port: number
  /** What is written to each connection; nothing for the floor. */
  readonly requests: readonly string[]
  /** How many of them a publish reaches. Default: all. */
  readonly affected?: number
}

const received = new Map<number, number>()
let expected = 0

serveParent(async (message) => {
  const { port, requests, affected } = message as Start
  expected = affected ?? requests.length
  const ready: Promise<void>[] = []
  for (const [index, request] of requests.entries()) {
    ready.push(subscribe(port, request))
    // The listen backlog of the machine is 4,096 at most; connecting in waves keeps SYNs from being dropped.
    if (index % 500 === 499) await Promise.all(ready)
  }
  await Promise.all(ready)
  return { connected: requests.length }
})

/**
 * Reads the stream off the socket with the SSE parser alone: the response's head and the chunk sizes read as fields that no
 * event has, so that both the config center's answers and the floor's bare bytes take the same path through this process.
 */
function subscribe(port: number, request: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.once('error', reject)
    socket.once('connect', () => {
      if (request === '') resolve()
      else socket.write(request)
    })
    readFrames(socket, resolve)
  })
}

function readFrames(socket: Socket, onReady: () => void): void {
  const parser = new SseParser()
  socket.on('data', (chunk) => {
    for (const { event, data } of parser.push(chunk)) {
      if (event === 'view.snapshot') onReady()
      else if (event === 'view.delta') take(data)
    }
  })
}

/** The application's code holds the new value from here on. */
function take(data: string): void {
  const delta = JSON.parse(data) as { readonly changes: readonly { readonly value: { readonly sequence: number } }[] }
  const sequence = delta.changes[0]?.value.sequence ?? -1
  const count = (received.get(sequence) ?? 0) + 1
  received.set(sequence, count)
  if (count === expected) pushToParent({ sequence, lastAtNs: process.hrtime.bigint().toString() })
}
