import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hashItems } from '@tributary/contract/hash'
import { afterEach, describe, expect, it } from 'vitest'
import { waitFor } from '../support/wait-for.js'
import { SoakSubscriber } from './subscriber.js'

type Frame = readonly [event: string, data: object]

const hashOf = (value: unknown): string => hashItems([['k', value]])
const hello = (storeRevision: string): Frame => [
  'hello',
  { subscriptionId: 's.1', serverId: 's', storeRevision, heartbeatMs: 1_000, reconnectWindowMs: 0 },
]
const snapshot = (storeRevision: string, value: unknown): Frame => [
  'view.snapshot',
  { storeRevision, hash: hashOf(value), items: [{ key: 'k', value }] },
]
const delta = (from: string, to: string, value: unknown, hash = hashOf(value)): Frame => [
  'view.delta',
  { from, to, hash, changes: [{ key: 'k', value }] },
]
const good: readonly Frame[] = [hello('5'), snapshot('5', 'a'), delta('5', '7', 'b')]

let server: Server | undefined
let subscriber: SoakSubscriber | undefined

afterEach(() => {
  subscriber?.stop()
  server?.closeAllConnections()
  server?.close()
})

/** What the checker says about a server that sends exactly these frames, and then a heartbeat. */
async function violationsOf(frames: readonly Frame[]): Promise<SoakSubscriber['violations']> {
  const all: readonly Frame[] = [...frames, ['heartbeat', { storeRevision: '1000' }]]
  const text = all.map(([event, data]) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`).join('')
  const listening = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(text)
  })
  server = listening
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
  const following = new SoakSubscriber({ tenant: 't', token: 'x', pick: () => origin })
  subscriber = following
  await waitFor('the heartbeat', () => following.revision === 1_000n)
  return following.violations
}

describe('the checker of streams', () => {
  it.each([
    ['nothing in a stream that keeps the rules', good, {}],
    ['a delta that comes twice', [...good, delta('5', '7', 'b')], { duplicated: 1 }],
    ['a delta that builds on one that never came', [...good, delta('8', '9', 'c')], { missed: 1 }],
    ['a delta that leaves a change out', [...good, delta('7', '9', 'c', hashOf('d'))], { missed: 1 }],
    ['a snapshot of an older revision', [...good, snapshot('6', 'b')], { outOfOrder: 1 }],
    ['a heartbeat of an older revision', [...good, ['heartbeat', { storeRevision: '6' }] as const], { outOfOrder: 1 }],
    ['a replica that is older than what was seen', [...good, hello('6')], { outOfOrder: 1 }],
  ])('finds %s', async (_what, frames, found) => {
    expect(await violationsOf(frames)).toEqual({ missed: 0, duplicated: 0, outOfOrder: 0, ...found })
  })
})
