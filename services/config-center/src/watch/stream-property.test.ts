import fc from 'fast-check'
import { afterEach, expect, it } from 'vitest'
import type { ChannelModel } from '../testing/channel-model.test-support.js'
import { INSTANCES, revisionWrites, SERVICES, TENANTS, usualWorld } from '../testing/random-world.test-support.js'
import { TestCluster, type TestReplica } from '../testing/replica.test-support.js'
import { StreamClient } from '../testing/stream-client.test-support.js'
import { contradictions, ViewOracle, type Timeline } from '../testing/view-oracle.test-support.js'

const WRITERS = 4
const WRITES_EACH = 40
const CLIENTS = 16

/** Work, not waiting: two seconds on a machine that does nothing else. Whatever waits has a shorter deadline of its own. */
const WORK_MS = 60_000

/** Heartbeats come often, so that cursors between changes are used for resuming too. */
const HEARTBEAT_MS = 15
const TINY_HISTORY = { maxDeltas: 1, maxChars: 1_000, maxTotalChars: 2_000 }

interface Run {
  readonly cluster: TestCluster
  readonly replicas: readonly TestReplica[]
  readonly random: () => number
  writing: boolean
}

interface Followed {
  readonly client: StreamClient
  readonly tenant: string
  readonly service: string | undefined
  readonly instance: string | undefined
  readonly channels: string
}

let cluster: TestCluster | undefined

afterEach(async () => {
  await cluster?.stop()
  cluster = undefined
})

const seeds = [1, 2, 3, Math.floor(Math.random() * 2 ** 31)]

it.each(seeds)(
  'every subscriber sees exactly what the store says, in order, whatever is cut (seed %i)',
  { timeout: WORK_MS },
  async (seed) => {
    cluster = await TestCluster.start()
    const { token } = await cluster.createToken({ role: 'viewer' })
    await cluster.write(...usualWorld)
    const run: Run = {
      cluster,
      // One remembers, one forgets at once, one cuts whoever lags by a few kilobytes.
      replicas: [
        await cluster.replica({ heartbeatMs: HEARTBEAT_MS }),
        await cluster.replica({ heartbeatMs: HEARTBEAT_MS, history: TINY_HISTORY, maxIdleChannels: 0 }),
        await cluster.replica({ heartbeatMs: HEARTBEAT_MS, maxUnsentBytes: 2_000 }),
      ],
      random: randomFrom(seed),
      writing: true,
    }
    const followed = Array.from({ length: CLIENTS }, () => makeClient(run, token))
    const following = Promise.all(followed.map((each) => follow(run, each)))
    await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(run, seed * WRITERS + writer)))
    run.writing = false
    await following
    const { problems, deltas } = await judge(run, followed)
    expect(problems).toEqual([])
    // The run means nothing when hardly anything arrived.
    expect(deltas).toBeGreaterThan(CLIENTS)
  },
)

async function write({ cluster, random }: Run, seed: number): Promise<void> {
  for (const writes of fc.sample(revisionWrites, { seed, numRuns: WRITES_EACH })) {
    await cluster.write(...writes)
    if (random() < 0.3) await new Promise((resolve) => setImmediate(resolve))
  }
}

function makeClient({ random }: Run, token: string): Followed {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
  const tenant = pick(TENANTS)
  const service = pick([undefined, ...SERVICES])
  const channels = pick(['view', 'routes', 'view,routes'])
  const instance = pick([undefined, ...INSTANCES, ...INSTANCES])
  const named = {
    ...(service === undefined ? {} : { service }),
    ...(instance === undefined ? {} : { instance }),
  }
  const client = new StreamClient({ tenant, ...named, channels, token, sendHashes: random() < 0.5 })
  return { client, tenant, service, instance, channels }
}

/** Connects, reads for a while (slowly at times), is cut, and resumes somewhere else, until all writes are in. */
async function follow(run: Run, { client, tenant }: Followed): Promise<void> {
  const { random, replicas } = run
  while (run.writing) {
    if (!(await connect(run, client))) continue
    const enough = client.frames.length + Math.floor(random() * 12)
    const { ended } = client
    if (random() < 0.3) await readSlowly(run, client)
    await client.until(() => client.frames.length >= enough || client.ended > ended)
    client.cut()
  }
  const last = await run.cluster.store.currentRevision()
  for (const { mirror } of replicas) await mirror.waitFor(last, { signal: AbortSignal.timeout(5_000) })
  while (run.replicas[0]?.mirror.catalog.tenant(tenant) !== undefined) {
    const { ended } = client
    await connect(run, client)
    if (await reached(client, last, ended)) break
  }
  client.cut()
}

async function reached(client: StreamClient, revision: bigint, ended: number): Promise<boolean> {
  const arrived = client.reaches(revision).then(() => true)
  const closed = client.until(() => client.ended > ended).then(() => false)
  return Promise.race([arrived, closed])
}

async function connect({ random, replicas }: Run, client: StreamClient): Promise<boolean> {
  const replica = replicas[Math.floor(random() * replicas.length)]
  const response = await client.connect(replica?.url ?? '')
  if (response.statusCode === 200) return true
  expect(response.statusCode).toBe(404)
  client.cut()
  return false
}

async function readSlowly({ cluster, random, replicas }: Run, client: StreamClient): Promise<void> {
  client.pause()
  const target = (await cluster.store.currentRevision()) + BigInt(Math.floor(random() * 10))
  await replicas[0]?.mirror.waitFor(target, { signal: AbortSignal.timeout(50) }).catch(() => undefined)
  client.resume()
}

interface Verdict {
  readonly problems: readonly string[]
  readonly deltas: number
}

async function judge({ cluster }: Run, followed: readonly Followed[]): Promise<Verdict> {
  const oracle = await ViewOracle.read(cluster.store)
  const last = await cluster.store.currentRevision()
  const courses = followed.flatMap(({ client, tenant, service, instance, channels }) => {
    const found: [ChannelModel, Timeline][] = []
    if (channels.includes('view')) found.push([client.view, oracle.view(tenant, service ?? null, instance)])
    if (channels.includes('routes')) found.push([client.routes, oracle.routes(tenant)])
    return found
  })
  return {
    problems: courses.flatMap(([model, timeline]) => problemsOf(model, timeline, last)),
    deltas: courses.flatMap(([model]) => model.states).filter(({ via }) => via === 'delta').length,
  }
}

function problemsOf(model: ChannelModel, timeline: Timeline, last: bigint): string[] {
  const unfinished = timeline.at(last) !== 'gone' && (model.revision !== last || model.hash !== timeline.at(last))
  const end = unfinished ? [`it ended at ${model.revision}, not with what the store says at ${last}`] : []
  return [...model.violations, ...contradictions(model.states, timeline), ...end]
}

/** Mulberry32: small, and the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
