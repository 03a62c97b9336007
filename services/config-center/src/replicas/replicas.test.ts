import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Convergence, ObservedCalls, ObservedLeak, ReplicaList, Subscription } from '@tributary/contract'
import { LATENCY_BUCKETS_MS } from '@tributary/contract'
import { openEmbeddedStore, type RevisionedStore } from '@tributary/store'
import { eventually } from '@tributary/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { replicaKey } from '../domain/keys.js'
import { startConfigCenter, type ConfigCenter } from '../start.js'
import { StreamClient } from '../testing/stream-client.test-support.js'
import { REPLICA_PATHS } from './replica-client.js'

let folder: string
let store: RevisionedStore
let first: ConfigCenter
let second: ConfigCenter
let token: string
const clients: StreamClient[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-replicas-'))
  store = await openEmbeddedStore({ path: join(folder, 'store.db') })
  first = await startConfigCenter({ store, replicate: {}, adminTokenFile: join(folder, 'admin.token') })
  second = await startConfigCenter({ store, replicate: {} })
  token = first.adminToken ?? ''
  await call(first, 'PUT', '/v1/tenants/integration', { base: null, stage: 'integration' })
})

afterEach(async () => {
  for (const client of clients.splice(0)) client.cut()
  await Promise.all([first.close(), second.close()])
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

async function call<T>(center: ConfigCenter, method: string, path: string, body?: unknown): Promise<T> {
  const headers = {
    authorization: `Bearer ${token}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  }
  const answer = await fetch(`${center.url}${path}`, { method, headers, body: JSON.stringify(body) ?? null })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${answer.status} ${text}`)
  return (text === '' ? undefined : JSON.parse(text)) as T
}

async function subscribe(center: ConfigCenter, instance: string): Promise<StreamClient> {
  const client = new StreamClient({ tenant: 'integration', token, instance })
  clients.push(client)
  await client.connect(center.url)
  await client.until(() => client.view.revision !== undefined)
  return client
}

function report(through: ConfigCenter, { hello, view }: StreamClient): Promise<void> {
  const body = { appliedRevision: `${view.revision}` }
  return call(through, 'POST', `/v1/subscriptions/${hello?.subscriptionId}/applied`, body)
}

const write = (center: ConfigCenter, waitMs: number): Promise<{ storeRevision: string; convergence?: Convergence }> =>
  call(center, 'PUT', `/v1/tenants/integration/documents/orders?waitMs=${waitMs}`, { at: performance.now() })

const convergenceAt = (center: ConfigCenter, revision: string, timeoutMs = 0): Promise<Convergence> =>
  call(center, 'GET', `/v1/convergence?revision=${revision}&timeoutMs=${timeoutMs}`)

/** An address at which nobody listens. */
async function deadAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

/** A replica that has been killed: registered, and not there. */
async function killedReplica(): Promise<{ endLease: () => Promise<void> }> {
  const { leaseId } = await store.grantLease(60_000)
  const key = replicaKey('00000000-0000-4000-8000-000000000000')
  const put = { kind: 'put', key, value: await deadAddress(), leaseId } as const
  const { storeRevision } = await store.transact({ compares: [], mutations: [put] })
  await first.context.live.waitFor(storeRevision, { signal: AbortSignal.timeout(5_000) })
  return { endLease: () => store.revokeLease(leaseId) }
}

describe('replicas on one store', () => {
  it('take reports for each other', async () => {
    const client = await subscribe(first, 'one')
    const { storeRevision } = await write(second, 0)
    await client.reaches(BigInt(storeRevision))
    expect(await convergenceAt(second, storeRevision)).toMatchObject({ converged: false, affected: 1 })
    await report(second, client)
    expect(await convergenceAt(first, storeRevision)).toMatchObject({ converged: true, affected: 1, laggards: [] })
    expect(await convergenceAt(second, storeRevision)).toMatchObject({ converged: true, affected: 1, laggards: [] })
  })

  it('answer a forwarded report as the other replica does', async () => {
    const { hello } = await subscribe(first, 'one')
    const path = `/v1/subscriptions/${hello?.subscriptionId}/applied`
    await expect(call(second, 'POST', path, { appliedRevision: '999999' })).rejects.toThrow('REVISION_IN_FUTURE')
    const gone = path.replace(/\.\d+/, '.999')
    await expect(call(second, 'POST', gone, { appliedRevision: '1' })).rejects.toThrow('SUBSCRIPTION_NOT_FOUND')
  })

  it('list the live streams of all', async () => {
    await subscribe(first, 'one')
    await subscribe(second, 'two')
    for (const center of [first, second]) {
      const list = await call<{ subscriptions: Subscription[] }>(center, 'GET', '/v1/subscriptions?tenant=integration')
      expect(list.subscriptions.map(({ instance }) => instance).sort()).toEqual(['one', 'two'])
    }
  })

  it('make a write wait for the subscribers of all', async () => {
    const [one, two] = [await subscribe(first, 'one'), await subscribe(second, 'two')]
    const late = await write(first, 50)
    expect(late.convergence).toMatchObject({ converged: false, affected: 2 })
    expect(late.convergence?.laggards.map(({ instance }) => instance).sort()).toEqual(['one', 'two'])
    const before = one.view.revision ?? 0n
    const waiting = write(first, 10_000)
    await one.until(() => (one.view.revision ?? 0n) > before)
    await two.until(() => (two.view.revision ?? 0n) > before)
    await Promise.all([report(second, one), report(first, two)])
    expect((await waiting).convergence).toMatchObject({ converged: true, affected: 2, laggards: [] })
  })

  it('wait for a subscriber that moves from one to another while behind', async () => {
    const client = await subscribe(second, 'mover')
    const { storeRevision } = await write(first, 0)
    await client.reaches(BigInt(storeRevision))
    let settled = false
    const waiting = convergenceAt(first, storeRevision, 10_000).finally(() => (settled = true))
    // It comes with nothing, as a process does that was started again.
    const moved = await subscribe(first, 'mover')
    client.cut()
    await eventually(async () => {
      const { laggards } = await convergenceAt(second, storeRevision)
      expect(laggards.map(({ subscriptionId }) => subscriptionId)).toEqual([moved.hello?.subscriptionId])
    })
    expect(settled).toBe(false)
    await report(second, moved)
    expect(await waiting).toMatchObject({ converged: true, affected: 1 })
  })

  it('count the subscribers of a killed replica as gone only when its lease has ended', async () => {
    const killed = await killedReplica()
    const { storeRevision, convergence } = await write(first, 300)
    expect(convergence).toMatchObject({ converged: false })
    await expect(call(first, 'GET', '/v1/subscriptions')).rejects.toThrow(/503.*REPLICA_UNREACHABLE/)
    const waiting = convergenceAt(first, storeRevision, 10_000)
    await killed.endLease()
    expect(await waiting).toMatchObject({ converged: true, affected: 0 })
    expect(await call(first, 'GET', '/v1/subscriptions')).toMatchObject({ subscriptions: [] })
  })

  it('forget one that is stopped at once', async () => {
    await subscribe(second, 'two')
    const { storeRevision } = await write(first, 0)
    expect(await convergenceAt(first, storeRevision)).toMatchObject({ converged: false })
    await second.close()
    await eventually(async () =>
      expect(await convergenceAt(first, storeRevision)).toMatchObject({ converged: true, affected: 0 }),
    )
  })

  it('add up what processes have reported to each of them, and say when one of them does not answer', async () => {
    const createToken = { name: 'processes', role: 'tenant', tenant: 'integration' }
    const { token: own } = await call<{ token: string }>(first, 'POST', '/v1/tokens', createToken)
    const reports = [
      { center: first, reporter: 'a'.repeat(32), latency: [8, 0], traceId: '1'.repeat(32) },
      { center: second, reporter: 'b'.repeat(32), latency: [0, 2], traceId: '2'.repeat(32) },
    ]
    for (const { center, reporter, latency, traceId } of reports) {
      const client = new StreamClient({ tenant: 'integration', token: own, service: 'payments' })
      clients.push(client)
      await client.connect(center.url)
      await client.until(() => client.hello !== undefined)
      const counts = [...latency, ...LATENCY_BUCKETS_MS.slice(1).map(() => 0)]
      const calls = [{ tenant: null, to: 'orders', calls: 10, errors: 1, latency: counts }]
      const leak = { kind: 'dropped', tenant: null, peer: 'orders', route: 'GET /x', count: 3, traceId }
      const body = { reporter, sequence: 1, calls, leaks: [leak], refusedContexts: {}, uncounted: 0 }
      const path = `/v1/subscriptions/${client.hello?.subscriptionId}/calls`
      const headers = { authorization: `Bearer ${own}`, 'content-type': 'application/json' }
      const answer = await fetch(`${first.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
      expect(answer.status).toBe(204)
    }
    const [fastest, next] = LATENCY_BUCKETS_MS
    for (const center of [first, second]) {
      const { edges, leaks } = await call<ObservedCalls>(center, 'GET', '/v1/tenants/integration/calls')
      expect(edges).toMatchObject([{ from: 'payments', to: 'orders', calls: 20, errors: 2, leaks: 6 }])
      expect(edges[0]?.latency).toEqual({ p50Ms: fastest, p95Ms: next })
      expect(leaks).toMatchObject([{ count: 6, from: 'payments', to: 'orders', traceId: '2'.repeat(32) }])
      expect((await call<{ leaks: ObservedLeak[] }>(center, 'GET', '/v1/leaks')).leaks).toEqual(leaks)
    }
    await killedReplica()
    const known = await call<ObservedCalls>(first, 'GET', '/v1/tenants/integration/calls')
    expect(known).toMatchObject({ unansweredReplicas: 1, edges: [{ calls: 20 }] })
    expect(await call(first, 'GET', '/v1/leaks')).toMatchObject({ unansweredReplicas: 1, leaks: [{ count: 6 }] })
  })

  it('are listed by each of them with their address, what they serve and how many follow them, also one that is gone', async () => {
    await subscribe(first, 'one')
    await subscribe(second, 'two')
    const { storeRevision } = await write(first, 0)
    for (const [center, other] of [
      [first, second],
      [second, first],
    ] as const) {
      await center.context.live.waitFor(BigInt(storeRevision), { signal: AbortSignal.timeout(5_000) })
      await other.context.live.waitFor(BigInt(storeRevision), { signal: AbortSignal.timeout(5_000) })
      const list = await call<ReplicaList>(center, 'GET', '/v1/replicas')
      expect(list.storeRevision).toBe(storeRevision)
      const one = { state: 'ready', since: null, storeRevision, behind: '0', subscribers: 1 }
      expect(list.replicas).toMatchObject([
        { ...one, url: center.url, answering: true },
        { ...one, url: other.url, answering: false },
      ])
    }
    await killedReplica()
    const { replicas } = await call<ReplicaList>(first, 'GET', '/v1/replicas')
    expect(replicas.map(({ state }) => state).sort()).toEqual(['ready', 'ready', 'unreachable'])
  })

  it('tell nothing on their own paths to others, whatever token these have', async () => {
    const { convergence, subscriptions, calls, leaks, report } = REPLICA_PATHS
    const asked = [`${calls}?tenant=integration`, `${leaks}?maxAgeMs=1`]
    const paths = [`${convergence}?revision=1`, subscriptions, report, ...asked]
    for (const path of paths) await expect(call(first, 'GET', path)).rejects.toThrow('401')
  })
})
