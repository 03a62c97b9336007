import { SseParser } from '@tributary/kit'
import type { DeltaFrame, SnapshotFrame } from '@tributary/contract'
import fc from 'fast-check'
import { afterEach, expect, it } from 'vitest'
import { ChannelModel } from '../testing/channel-model.test-support.js'
import { dropTenant, revisionWrites, usualWorld, type KeyWrite } from '../testing/random-world.test-support.js'
import { TestCluster, type TestReplica } from '../testing/replica.test-support.js'
import { contradictions, ViewOracle } from '../testing/view-oracle.test-support.js'
import type { FrameConnection } from './frame-connection.js'
import type { Frame } from './frame.js'

/** A connection whose other end takes what was sent when the test says so, and a client behind it that knows the contract alone. */
class HeldConnection implements FrameConnection {
  readonly view = new ChannelModel()
  readonly routes = new ChannelModel()
  readonly goodbyes: string[] = []
  batches = 0
  unsentBytes = 0
  holding = false
  readonly #parser = new SseParser()
  #onDrained: (() => void) | undefined

  send(frames: readonly Frame[]): void {
    this.batches += 1
    for (const { bytes } of frames) {
      if (this.holding) this.unsentBytes += bytes.length
      for (const { event, data } of this.#parser.push(bytes)) this.#take(event, JSON.parse(data))
    }
  }

  onceDrained(listener: () => void): void {
    this.#onDrained = listener
  }

  drain(): void {
    this.holding = false
    this.unsentBytes = 0
    this.#onDrained?.()
    this.#onDrained = undefined
  }

  end(): void {
    this.drain()
  }

  destroy(): void {
    this.drain()
  }

  #take(event: string, data: unknown): void {
    const model = event.startsWith('routes.') ? this.routes : this.view
    if (event.endsWith('.snapshot')) model.snapshot(data as SnapshotFrame)
    else if (event.endsWith('.delta')) model.delta(data as DeltaFrame)
    else if (event === 'heartbeat') {
      const revision = BigInt((data as { storeRevision: string }).storeRevision)
      for (const one of [this.view, this.routes]) one.upTo(revision)
    } else if (event === 'goodbye') this.goodbyes.push((data as { reason: string }).reason)
  }
}

interface Write {
  readonly do: 'write'
  readonly writes: readonly KeyWrite[]
}
type Step = Write | { readonly do: 'hold' } | { readonly do: 'drain' } | { readonly do: 'beat' }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: revisionWrites.map((writes) => ({ do: 'write' as const, writes })) },
  { weight: 2, arbitrary: fc.constantFrom<Step>({ do: 'hold' }, { do: 'drain' }, { do: 'beat' }) },
)

let cluster: TestCluster | undefined

afterEach(async () => {
  await cluster?.stop()
  cluster = undefined
})

async function perform(one: Step, on: { connection: HeldConnection; replica: TestReplica; world: TestCluster }) {
  const { connection, replica, world } = on
  if (one.do === 'hold') connection.holding = true
  else if (one.do === 'drain') connection.drain()
  else if (one.do === 'beat') replica.hub.beat()
  else {
    // A subscriber of a tenant that is gone is told so and gone itself; that is another rule's.
    const writes = one.writes.filter(({ key, value }) => value !== undefined || key !== dropTenant('f1').key)
    if (writes.length === 0) return
    await replica.mirror.waitFor(await world.write(...writes), { signal: AbortSignal.timeout(5_000) })
  }
  await new Promise((resolve) => setImmediate(resolve))
}

const histories = [
  { maxDeltas: 128, maxChars: 262_144, maxTotalChars: 1_000_000 },
  { maxDeltas: 2, maxChars: 2_000, maxTotalChars: 4_000 },
]

/** One that no gray release reaches, and one that they move between two views. */
const followers = [
  { service: null, instance: 'i' },
  { service: 'a', instance: 'i-1' },
]

it.each(histories.flatMap((history) => followers.map((follower) => ({ history, follower }))))(
  'whatever a subscriber that lags is spared, it ends with what the pure functions say (%o)',
  { timeout: 60_000 },
  async ({ history, follower }) => {
    const world = await TestCluster.start()
    cluster = world
    const { tokenId } = await world.createToken({ role: 'viewer' })
    let spared = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        await world.write(...usualWorld)
        const replica = await world.replica({ maxUnsentBytes: 0, history, heartbeatMs: 3_600_000 })
        const connection = new HeldConnection()
        const request = { kind: 'stream', tenant: 'f1', ...follower, tokenId } as const
        const subscriber = replica.hub.subscribe({ ...request, channels: new Set(['view', 'routes']) }, connection)
        for (const one of steps) {
          await perform(one, { connection, replica, world })
          if (connection.goodbyes.length > 0) break
        }
        const writes = steps.filter((one) => one.do === 'write').length
        await perform({ do: 'drain' }, { connection, replica, world })
        if (connection.goodbyes.length === 0) await perform({ do: 'beat' }, { connection, replica, world })
        spared += Math.max(0, writes - connection.batches)
        await judge(world, connection, follower)
        replica.hub.leave(subscriber)
      }),
      { numRuns: 20 },
    )
    // The property says nothing when hardly anything was left out.
    expect(spared).toBeGreaterThan(10)
  },
)

async function judge(
  world: TestCluster,
  { view, routes, goodbyes }: HeldConnection,
  { service, instance }: (typeof followers)[number],
): Promise<void> {
  const oracle = await ViewOracle.read(world.store)
  const courses = [
    [view, oracle.view('f1', service, instance)],
    [routes, oracle.routes('f1')],
  ] as const
  for (const [model, timeline] of courses) {
    expect(model.violations).toEqual([])
    expect(contradictions(model.states, timeline)).toEqual([])
    // Those that were told goodbye come back for the rest.
    if (goodbyes.length === 0) expect(model.hash).toBe(timeline.at(await world.store.currentRevision()))
  }
}
