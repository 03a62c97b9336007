import { connect, type Socket } from 'node:net'
import { createSseParser } from '@tributary/kit'
import { pushToParent, serveParent } from '../child.js'

/** Opens `count` connections; each holds the value of the newest frame, as an application would. */
interface Start {
  readonly port: number
  readonly count: number
  /** Written to each connection; empty for the floor. */
  readonly request: string
}

const received = new Map<number, number>()
let subscribers = 0

serveParent(async (message: Start) => {
  subscribers = message.count
  const ready: Promise<void>[] = []
  for (let index = 0; index < message.count; index += 1) {
    ready.push(subscribe(message))
    // The listen backlog of the machine is 4,096 at most; connecting in waves keeps SYNs from being dropped.
    if (index % 500 === 499) await Promise.all(ready)
  }
  await Promise.all(ready)
  return { connected: message.count, rssBytes: process.memoryUsage.rss() }
})

function subscribe({ port, request }: Start): Promise<void> {
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
  const parser = createSseParser()
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
  if (count === subscribers) pushToParent({ sequence, lastAtNs: process.hrtime.bigint().toString() })
}
