import { setTimeout as delay } from 'node:timers/promises'
import { openEtcdStore } from '@tributary/store'
import { describeWithEtcd } from '@tributary/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readHistory, ViewTimeline } from '../soak/oracle.js'
import { SoakSubscriber } from '../soak/subscriber.js'
import { SoakWorld } from '../soak/world.js'
import { waitFor } from '../support/wait-for.js'

const SUBSCRIBERS = 30

let world: SoakWorld
let subscribers: SoakSubscriber[] = []

const originOf = (index: number): string => `http://127.0.0.1:${world.proxies[index]?.port}`

async function call<T>(index: number, method: string, path: string, body?: unknown): Promise<T> {
  const headers = { authorization: `Bearer ${world.token}`, 'content-type': 'application/json' }
  const answer = await fetch(`${originOf(index)}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${answer.status}: ${text}`)
  return (text === '' ? undefined : JSON.parse(text)) as T
}

interface Written {
  readonly storeRevision: string
}

const write = (index: number, value: unknown): Promise<Written> =>
  call(index, 'PUT', '/v1/tenants/integration/documents/orders', { value })

/** Through whatever replica answers. */
async function writeSomewhere(count: number): Promise<bigint> {
  return BigInt((await waitFor('a write', () => write(count++ % 3, count))).storeRevision)
}

describeWithEtcd('three replicas of the config center on one store', () => {
  beforeAll(async () => {
    world = await SoakWorld.start({ members: 1 })
    await call(0, 'PUT', '/v1/tenants/integration', { base: null, stage: 'integration' })
  })

  afterAll(async () => {
    for (const subscriber of subscribers) subscriber.stop()
    await world.stop()
  })

  it('lose nothing while each is restarted in turn under load', { timeout: 60_000 }, async () => {
    let turn = 0
    const pick = (): string => originOf(turn++ % 3)
    const follow = { tenant: 'integration', token: world.token, pick }
    subscribers = Array.from({ length: SUBSCRIBERS }, () => new SoakSubscriber(follow))
    const done = new AbortController()
    const acknowledged: bigint[] = []
    const writing = (async () => {
      for (let count = 0; !done.signal.aborted; count += 1) {
        acknowledged.push(await writeSomewhere(count))
        await delay(20)
      }
    })()
    for (let index = 0; index < 3; index += 1) {
      await world.stopReplica(index, 'SIGTERM')
      await world.startReplica(index)
    }
    done.abort()
    await writing
    const last = await writeSomewhere(0)
    await waitFor('all subscribers to have the last write', () => subscribers.every(({ revision }) => revision >= last))

    const history = await readHistory(world.store)
    const timeline = new ViewTimeline(history, 'integration')
    const revisions = new Set(history.map(({ storeRevision }) => storeRevision))
    expect(acknowledged.filter((revision) => !revisions.has(revision))).toEqual([])
    for (const { states, violations, problems, hash } of subscribers) {
      expect(problems).toEqual([])
      expect(violations).toEqual({ missed: 0, duplicated: 0, outOfOrder: 0 })
      expect(timeline.contradictions(states)).toEqual({ wrong: 0, skipped: 0 })
      expect(hash).toBe(timeline.at(last))
    }
    // Each of the three restarts sent away those who were there, and only them.
    const connections = subscribers.reduce((sum, one) => sum + one.connections - one.refused, 0)
    expect(connections).toBeGreaterThan(SUBSCRIBERS)
  })

  it('know of each other’s subscribers: a write waits for all of them', async () => {
    const path = '/v1/tenants/integration/documents/orders?waitMs=20000'
    const answer = call<{ readonly convergence: unknown }>(0, 'PUT', path, { value: 'waited for' })
    let isAnswered = false
    const waited = answer.finally(() => (isAnswered = true))
    // They report again and again what they have by now, as the answer does not come before each has reported the write.
    const reporting = waitFor('the answer', async () => {
      await Promise.all(
        subscribers.map(({ subscriptionId, revision }) =>
          call(1, 'POST', `/v1/subscriptions/${subscriptionId}/applied`, { appliedRevision: `${revision}` }),
        ),
      )
      return isAnswered
    })
    const [{ convergence }] = await Promise.all([waited, reporting])
    expect(convergence).toMatchObject({ converged: true, affected: SUBSCRIBERS, laggards: [] })
  })

  it('take nobody back in time: one that has not seen the revision catches up first', async () => {
    // Another store in the same etcd moves its revision on; only a replica that starts afterwards knows.
    const other = await openEtcdStore({ endpoints: [world.etcd[0]?.endpoint ?? ''], prefix: 'another/' })
    for (let count = 0; count < 5; count += 1) {
      await other.transact({ compares: [], mutations: [{ kind: 'put', key: 'x', value: `${count}` }] })
    }
    await other.close()
    const ahead = await call<Written>(0, 'GET', '/v1/subscriptions')
    const after = BigInt(ahead.storeRevision) + 5n
    const stream = await fetch(`${originOf(1)}/v1/tenants/integration/stream?after=${after}`, {
      headers: { authorization: `Bearer ${world.token}` },
    })
    const reader = stream.body?.getReader()
    const { value } = (await reader?.read()) ?? {}
    await reader?.cancel()
    const [, revision = '0'] = /"storeRevision":"(\d+)"/.exec(new TextDecoder().decode(value)) ?? []
    expect(BigInt(revision)).toBeGreaterThanOrEqual(after)
  })
})
