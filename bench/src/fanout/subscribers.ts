import { connect } from 'node:net'
import { SseParser } from '@tributary/kit'
import { serveSubscribers } from './serve-subscribers.js'

/** Opens one connection for each request; each holds the value of the newest frame, as an application would. */
interface Start {
  readonly port: number
  /** What is written to each connection; nothing for the floor. */
  readonly requests: readonly string[]
}

serveSubscribers((message) => {
  const { port, requests } = message as Start
  return (subscriber, take) => subscribe(port, requests[subscriber] ?? '', (sequence) => take(subscriber, sequence))
})

/** All connections are read into it, one after the other: what is read has become text before the next read. */
const READ_BUFFER = Buffer.allocUnsafe(65_536)

/**
 * Reads the stream off the socket with the SSE parser alone: the response's head is read as fields that no event has, so that
 * both the config center's answers and the floor's bare bytes take the same path through this process.
 */
function subscribe(port: number, request: string, take: (sequence: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const read = frameReader({ onReady: resolve, take })
    const onread = { buffer: READ_BUFFER, callback: (bytes: number) => read(READ_BUFFER.subarray(0, bytes)) }
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread })
    socket.once('error', reject)
    socket.once('connect', () => {
      if (request === '') resolve()
      else socket.write(request)
    })
  })
}

interface Reader {
  readonly onReady: () => void
  readonly take: (sequence: number) => void
}

function frameReader({ onReady, take }: Reader): (chunk: Uint8Array) => boolean {
  const parser = new SseParser()
  return (chunk) => {
    for (const { event, data } of parser.push(chunk)) {
      if (event === 'view.snapshot') onReady()
      else if (event === 'view.delta') take(sequenceOf(data))
    }
    return true
  }
}

function sequenceOf(data: string): number {
  const delta = JSON.parse(data) as { readonly changes: readonly { readonly value: { readonly sequence?: number } }[] }
  return delta.changes[0]?.value.sequence ?? -1
}
