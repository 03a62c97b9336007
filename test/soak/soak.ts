import { setTimeout as delay } from 'node:timers/promises'
import { waitFor } from '../support/wait-for.js'
import { anyOf, injectFaults, ROLLING_RESTART } from './faults.js'
import { readHistory, ViewTimeline } from './oracle.js'
import { spreadOf } from './reconnect-spread.js'
import { SoakSubscriber } from './subscriber.js'
import { SoakWorld } from './world.js'

const SUBSCRIBERS = 200
const TENANTS = 20
const WRITERS = 20
const FAULT_EVERY_MS = 5_000
const WRITE_EVERY_MS = 1_000
/** One write of so many changes the base, and with it every view. */
const BASE_WRITE_SHARE = 0.05
const CALL_MS = 10_000
/** Reconnects are counted in stretches of this length. */
const SLOT_MS = 100

/** Writes that were acknowledged, by revision, and those whose fate is not known. */
interface Written {
  readonly acknowledged: bigint[]
  failed: number
}

interface Call {
  readonly method: string
  readonly path: string
  readonly body?: unknown
}

/** Runs the soak and prints its counts; resolves to whether everything was as it must be. */
export async function runSoak({ minutes }: { readonly minutes: number }): Promise<boolean> {
  const world = await SoakWorld.start()
  try {
    return await soak(world, minutes * 60_000)
  } finally {
    await world.stop()
  }
}

async function soak(world: SoakWorld, durationMs: number): Promise<boolean> {
  const tenants = Array.from({ length: TENANTS }, (_, index) => `t${index}`)
  await call(world, { method: 'PUT', path: '/v1/tenants/integration', body: { base: null, stage: 'integration' } })
  for (const tenant of tenants) {
    await call(world, {
      method: 'PUT',
      path: `/v1/tenants/${tenant}`,
      body: { base: 'integration', stage: 'development' },
    })
  }
  const pick = (): string => originOf(world)
  const subscribers = Array.from(
    { length: SUBSCRIBERS },
    (_, index) => new SoakSubscriber({ tenant: `t${index % TENANTS}`, token: world.token, pick }),
  )
  const stopping = AbortSignal.timeout(durationMs)
  const written: Written = { acknowledged: [], failed: 0 }
  const writers = Array.from({ length: WRITERS }, (_, index) =>
    write(world, { writer: index, written, signal: stopping }),
  )
  const rolls = new Rolls(subscribers)
  const plan = { everyMs: FAULT_EVERY_MS, signal: stopping, onFault: rolls.note.bind(rolls) }
  const [faults] = await Promise.all([injectFaults(world, plan), ...writers])
  const last = await finish(world, subscribers)
  for (const subscriber of subscribers) subscriber.stop()
  return verdict({ world, subscribers, written, faults: { ...faults, ...rolls.counts() }, last })
}

/** How the subscribers come back while the replicas are restarted in turn. */
class Rolls {
  readonly #subscribers: readonly SoakSubscriber[]
  readonly #busiest: number[] = []
  #from = 0

  constructor(subscribers: readonly SoakSubscriber[]) {
    this.#subscribers = subscribers
  }

  note(fault: string, what: 'begins' | 'ends'): void {
    if (fault !== ROLLING_RESTART) return
    const now = performance.now()
    if (what === 'begins') this.#from = now
    else {
      const instants = this.#subscribers.flatMap(({ connectedAt }) => connectedAt)
      this.#busiest.push(spreadOf(instants, { from: this.#from, to: now, slotMs: SLOT_MS }).busiestSlot)
    }
  }

  counts(): Record<string, number> {
    if (this.#busiest.length === 0) return {}
    return { [`connections in the busiest ${SLOT_MS} ms of restarts in turn`]: Math.max(...this.#busiest) }
  }
}

async function write(
  world: SoakWorld,
  { writer, written, signal }: { readonly writer: number; readonly written: Written; readonly signal: AbortSignal },
): Promise<void> {
  for (let count = 0; !signal.aborted; count += 1) {
    const tenant = Math.random() < BASE_WRITE_SHARE ? 'integration' : `t${writer % TENANTS}`
    const path = `/v1/tenants/${tenant}/documents/s${Math.floor(Math.random() * 5)}`
    try {
      const { storeRevision } = await call(world, { method: 'PUT', path, body: { writer, count } })
      written.acknowledged.push(BigInt(storeRevision))
    } catch {
      written.failed += 1
    }
    await delay(WRITE_EVERY_MS * (0.5 + Math.random()))
  }
}

/** One last write to the base: resolves to its revision when every subscriber has it and the replicas together say so. */
async function finish(world: SoakWorld, subscribers: readonly SoakSubscriber[]): Promise<bigint> {
  const path = '/v1/tenants/integration/documents/last'
  const { storeRevision } = await waitFor('the last write', () =>
    call(world, { method: 'PUT', path, body: { at: Date.now() } }),
  )
  const last = BigInt(storeRevision)
  await waitFor(
    'all subscribers to have the last write',
    () => {
      const behind = subscribers.filter(({ revision }) => revision < last)
      if (behind.length > 0) throw new Error(`${behind.length} are behind`)
      return true
    },
    { timeoutMs: 60_000 },
  )
  for (const { subscriptionId, revision } of subscribers) {
    const body = { appliedRevision: `${revision}` }
    await call(world, { method: 'POST', path: `/v1/subscriptions/${subscriptionId}/applied`, body })
  }
  return last
}

interface Outcome {
  readonly world: SoakWorld
  readonly subscribers: readonly SoakSubscriber[]
  readonly written: Written
  readonly faults: Readonly<Record<string, number>>
  readonly last: bigint
}

async function verdict({ world, subscribers, written, faults, last }: Outcome): Promise<boolean> {
  const history = await readHistory(world.store)
  const timelines = new Map(subscribers.map(({ tenant }) => [tenant, undefined as ViewTimeline | undefined]))
  for (const tenant of timelines.keys()) timelines.set(tenant, new ViewTimeline(history, tenant))
  const revisions = new Set(history.map(({ storeRevision }) => storeRevision))
  let [wrong, skipped, different] = [0, 0, 0]
  for (const { tenant, states, hash } of subscribers) {
    const timeline = timelines.get(tenant)
    const found = timeline?.contradictions(states) ?? { wrong: 1, skipped: 0 }
    wrong += found.wrong
    skipped += found.skipped
    if (timeline?.at(last) !== hash) different += 1
  }
  const sum = (count: (one: SoakSubscriber) => number): number => subscribers.reduce((all, one) => all + count(one), 0)
  const must = {
    missed: sum(({ violations }) => violations.missed) + skipped,
    duplicated: sum(({ violations }) => violations.duplicated),
    'out of order': sum(({ violations }) => violations.outOfOrder),
    'states that never were': wrong,
    'views that differ from the oracle at the end': different,
    'acknowledged writes that are lost': written.acknowledged.filter((revision) => !revisions.has(revision)).length,
  }
  print({
    subscribers: subscribers.length,
    connections: sum(({ connections }) => connections),
    'connections refused for a moment (503)': sum(({ refused }) => refused),
    'states received': sum(({ states }) => states.length),
    'writes acknowledged': written.acknowledged.length,
    'writes without an answer or refused': written.failed,
    'revisions in the store': revisions.size,
    ...faults,
    ...must,
  })
  for (const problem of subscribers.flatMap(({ problems }) => problems).slice(0, 10)) console.log(problem)
  return Object.values(must).every((count) => count === 0)
}

function print(counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) console.log(`${String(count).padStart(8)}  ${name}`)
}

async function call(world: SoakWorld, { method, path, body }: Call): Promise<{ readonly storeRevision: string }> {
  const headers = { authorization: `Bearer ${world.token}`, 'content-type': 'application/json' }
  const signal = AbortSignal.timeout(CALL_MS)
  const answer = await fetch(`${originOf(world)}${path}`, { method, headers, body: JSON.stringify(body), signal })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${path} answers ${answer.status}: ${text}`)
  return text === '' ? { storeRevision: '0' } : (JSON.parse(text) as { storeRevision: string })
}

function originOf({ proxies }: SoakWorld): string {
  return `http://127.0.0.1:${anyOf(proxies).port}`
}
