import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { describeWithEtcd } from '@tributary/testkit'
import { expect, it, onTestFinished } from 'vitest'
import { readHistory, ViewTimeline } from '../soak/oracle.js'
import { spreadOf, type Spread } from '../soak/reconnect-spread.js'
import { SoakSubscriber } from '../soak/subscriber.js'
import { SoakWorld } from '../soak/world.js'
import { ROOT } from '../support/platform.js'
import { waitFor } from '../support/wait-for.js'

/** How long etcd says nothing in the long test. */
const MINUTE_MS = 60_000
const CLOCK = pathToFileURL(path.join(ROOT, 'test/support/shifting-clock.mjs')).href

type Finish = typeof onTestFinished

interface Started {
  readonly world: SoakWorld
  readonly subscribers: readonly SoakSubscriber[]
}

/** Three replicas on one etcd with so many subscribers of `integration`, spread by chance; all of it ends with the test. */
async function start(
  count: number,
  { finish, env = {} }: { readonly finish: Finish; readonly env?: Readonly<Record<string, string>> },
): Promise<Started> {
  const started = await SoakWorld.start({ members: 1, env })
  finish(() => started.stop())
  await request(started, 0, '/v1/tenants/integration', { base: null, stage: 'integration' })
  let turn = 0
  const pick = (): string => originOf(started, turn++ % started.proxies.length)
  const follow = { tenant: 'integration', token: started.token, pick }
  const subscribers = Array.from({ length: count }, () => new SoakSubscriber(follow))
  finish(() => subscribers.forEach((subscriber) => subscriber.stop()))
  await waitFor('all subscribers to follow', () => subscribers.every(({ states }) => states.length > 0))
  return { world: started, subscribers }
}

function originOf({ proxies }: SoakWorld, index: number): string {
  return `http://127.0.0.1:${proxies[index]?.port}`
}

async function request(on: SoakWorld, index: number, route: string, body?: unknown): Promise<Response> {
  const headers = { authorization: `Bearer ${on.token}`, 'content-type': 'application/json' }
  return fetch(`${originOf(on, index)}${route}`, {
    method: body === undefined ? 'GET' : 'PUT',
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(15_000),
  })
}

/** Writes through a replica until it takes the write; answers the revision. */
async function write(on: SoakWorld, index: number, value: unknown): Promise<bigint> {
  return waitFor(`a write through replica ${index}`, async () => {
    const answer = await request(on, index, '/v1/tenants/integration/documents/orders', { value })
    if (!answer.ok) throw new Error(`${answer.status}`)
    return BigInt(((await answer.json()) as { readonly storeRevision: string }).storeRevision)
  })
}

/** When the newest write was made, by the clock of the replica that made it: epoch milliseconds. */
async function lastWriteAt(on: SoakWorld): Promise<number> {
  const answer = await request(on, 0, '/v1/tenants/integration/history?limit=1')
  const { records } = (await answer.json()) as { readonly records: readonly { readonly at: string }[] }
  return Date.parse(records[0]?.at ?? '')
}

async function everybodyHas({ subscribers: all }: Started, revision: bigint): Promise<void> {
  await waitFor('all subscribers to have the write', () => all.every((one) => one.revision >= revision))
}

async function expectTruth({ world: on, subscribers: all }: Started): Promise<void> {
  const timeline = new ViewTimeline(await readHistory(on.store), 'integration')
  for (const { states, violations, problems, hash, revision } of all) {
    expect(problems).toEqual([])
    expect(violations).toEqual({ missed: 0, duplicated: 0, outOfOrder: 0 })
    expect(timeline.contradictions(states)).toEqual({ wrong: 0, skipped: 0 })
    expect(hash).toBe(timeline.at(revision))
  }
}

describeWithEtcd('replicas of the config center', () => {
  // These two wait for most of their time, so they do it together.
  it.skipIf(process.env['CI'] !== 'true').concurrent(
    'keep their streams and what they know while etcd is frozen for a minute, and go on as soon as it is back (slow: only with CI=true)',
    { timeout: 3 * MINUTE_MS },
    async ({ expect, onTestFinished }) => {
      const started = await start(30, { finish: onTestFinished })
      const { world: on } = started
      await everybodyHas(started, await write(on, 0, 'before'))
      const connections = started.subscribers.map(({ connectedAt }) => connectedAt.length)
      const [etcd] = on.etcd
      await etcd?.freeze()
      const thaw = delay(MINUTE_MS)
      const readyz = async (index: number): Promise<number> => (await request(on, index, '/readyz')).status
      for (const index of on.replicas.keys()) {
        await waitFor('the replica not to be ready', async () => (await readyz(index)) === 503)
        const refused = await request(on, index, '/v1/tenants/integration/documents/orders', { value: 'meanwhile' })
        expect(refused.status).toBe(503)
      }
      await thaw
      etcd?.thaw()
      for (const index of on.replicas.keys()) {
        await waitFor('the replica to be ready', async () => (await readyz(index)) === 200)
        await everybodyHas(started, await write(on, index, `after ${index}`))
      }
      expect(started.subscribers.map(({ connectedAt }) => connectedAt.length)).toEqual(connections)
      // Their leases had ended; each is registered again, so that any of them knows the subscribers of all.
      await waitFor('all subscribers to be listed', async () => {
        const answer = await request(on, 0, '/v1/subscriptions')
        if (!answer.ok) throw new Error(`${answer.status}`)
        const { subscriptions } = (await answer.json()) as { readonly subscriptions: readonly unknown[] }
        return subscriptions.length === started.subscribers.length
      })
      await expectTruth(started)
    },
  )

  it.concurrent(
    'notice nothing when the wall clock jumps by hours, forth and back',
    { timeout: 120_000 },
    async ({ expect, onTestFinished }) => {
      const started = await start(30, { finish: onTestFinished, env: { NODE_OPTIONS: `--import=${CLOCK}` } })
      const { world: on } = started
      const registered = (): Promise<unknown> =>
        on.store
          .range({ select: { prefix: 'cc/replica/' } })
          .then(({ entries }) => entries.map(({ key, leaseId }) => [key, leaseId]))
      const before = await registered()
      const connections = started.subscribers.map(({ connectedAt }) => connectedAt.length)
      for (const jump of ['six hours forth', 'twelve hours back']) {
        const heartbeats = started.subscribers.map((one) => one.heartbeats)
        for (const replica of on.replicas) replica.signal('SIGUSR2')
        // A replica's clock shows in what it writes: without this nothing would say that it has jumped.
        for (const index of on.replicas.keys()) {
          await waitFor('the clock to jump', async () => {
            await write(on, index, `${jump} ${performance.now()}`)
            return Math.abs((await lastWriteAt(on)) - Date.now()) > 5 * 3_600_000
          })
        }
        await everybodyHas(started, await write(on, 1, jump))
        // A heartbeat comes every 15 s; a lease of a replica would have ended after 10.
        await waitFor('a heartbeat for everybody', () =>
          started.subscribers.every((one, index) => one.heartbeats > (heartbeats[index] ?? 0)),
        )
        expect(await registered()).toEqual(before)
      }
      await everybodyHas(started, await write(on, 2, 'afterwards'))
      expect(started.subscribers.map(({ connectedAt }) => connectedAt.length)).toEqual(connections)
      await expectTruth(started)
    },
  )

  it(
    'spread the reconnects of hundreds of subscribers while they are restarted in turn',
    { timeout: 120_000 },
    async () => {
      const started = await start(510, { finish: onTestFinished })
      const { world: on } = started
      const spreads: Spread[] = []
      for (const index of on.replicas.keys()) {
        const from = performance.now()
        await on.stopReplica(index, 'SIGTERM')
        await on.startReplica(index)
        await everybodyHas(started, await write(on, index, `restart ${index}`))
        const instants = started.subscribers.flatMap(({ connectedAt }) => connectedAt)
        spreads.push(spreadOf(instants, { from, to: performance.now(), slotMs: 100 }))
      }
      // The window is half a second at least; without it all that had to move would be one slot, each time. A machine that stalls for as
      // long as that bunches those of one restart, not of all three.
      expect(Math.min(...spreads.map(({ count }) => count))).toBeGreaterThan(100)
      expect(Math.min(...spreads.map(({ busiestSlot, count }) => busiestSlot / count))).toBeLessThan(0.5)
      expect(Math.max(...spreads.map(({ spanMs }) => spanMs))).toBeGreaterThan(250)
      await expectTruth(started)
    },
  )
})
