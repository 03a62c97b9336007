import { KeyedMutex, systemClock } from '@tributary/kit'
import { eventually } from '@tributary/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { BoundedSchemaChecker } from '../schemas/bounded-schema-checker.js'
import { usualWorld } from '../testing/random-world.test-support.js'
import { TestCluster, type TestReplica } from '../testing/replica.test-support.js'
import { TokenRegistry } from '../tokens/token-registry.js'
import type { FrameConnection } from '../watch/frame-connection.js'
import type { Frame } from '../watch/frame.js'
import { commitChanges } from './commit-changes.js'
import type { OperationContext } from './operation-context.js'

const PRINCIPAL = { tokenId: 'test', name: 'test', role: 'admin' } as const

let cluster: TestCluster
let replica: TestReplica
let tokenId: string
let context: OperationContext
let subscribers: FrameCounter[]

beforeEach(async () => {
  cluster = await TestCluster.start()
  await cluster.write(...usualWorld)
  tokenId = (await cluster.createToken({ role: 'viewer' })).tokenId
  replica = await cluster.replica()
  context = {
    store: cluster.store,
    live: replica.mirror,
    tokens: new TokenRegistry(),
    clock: systemClock,
    schemas: new BoundedSchemaChecker(systemClock),
    turns: new KeyedMutex(),
  }
  subscribers = []
})

afterEach(() => cluster.stop())

/** A connection that takes everything, counts the deltas, and closes when it is told to. */
class FrameCounter implements FrameConnection {
  readonly unsentBytes = 0
  frames = 0
  deltas = 0
  leave: () => void = () => undefined

  send(frames: readonly Frame[]): void {
    this.frames += frames.length
    this.deltas += frames.filter(({ event }) => event === 'view.delta').length
  }

  onceDrained(): void {}

  end(): void {
    this.leave()
  }

  destroy(): void {
    this.leave()
  }
}

/** Has so many follow the tenant; resolves when each has what it begins with. */
async function follow(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const connection = new FrameCounter()
    subscribers.push(connection)
    const instance = `instance-${index}`
    const channels = new Set(['view'] as const)
    const subscriber = replica.hub.subscribe(
      { kind: 'stream', tenant: 'integration', service: 'a', channels, instance, tokenId },
      connection,
    )
    connection.leave = () => replica.hub.leave(subscriber)
  }
  await eventually(() => expect(subscribers.every(({ frames }) => frames === 2)).toBe(true))
}

function apply(level: number): Promise<{ readonly changed: boolean }> {
  const edit = { op: 'apply-document', tenant: 'integration', service: 'a', data: { level } } as const
  return commitChanges(context, { edits: [edit], principal: PRINCIPAL, note: {} })
}

function deltas(): number {
  return subscribers.reduce((sum, subscriber) => sum + subscriber.deltas, 0)
}

it('is answered when its frames have gone to the subscribers', async () => {
  await follow(20)
  for (let level = 1; level <= 3; level += 1) {
    expect(await apply(level)).toMatchObject({ changed: true })
    expect(deltas()).toBe(20 * level)
  }
})

it('is answered before thousands have been written to', async () => {
  await follow(3_000)
  await apply(1)
  const whenAnswered = deltas()
  expect(whenAnswered).toBeGreaterThanOrEqual(1_024)
  expect(whenAnswered).toBeLessThan(3_000)
  await eventually(() => expect(deltas()).toBe(3_000))
})
