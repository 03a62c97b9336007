import { get } from 'node:http'
import { Convergence, PollResult, ResolvedView, RouteTable, Subscription, type ErrorBody } from '@tributary/contract'
import { hashItems } from '@tributary/contract/hash'
import { eventually } from '@tributary/testkit'
import { Type, type TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { routeItems, viewItems } from '../../domain/items.js'
import { CuttableStore } from '../../testing/cuttable-store.test-support.js'
import {
  dropEntry,
  dropTenant,
  maskEntry,
  putDocument,
  putEntry,
  putTenant,
  usualWorld,
} from '../../testing/random-world.test-support.js'
import { TestCluster, type TestReplica } from '../../testing/replica.test-support.js'
import { StreamClient } from '../../testing/stream-client.test-support.js'

let cluster: TestCluster
let replica: TestReplica
let viewer: string
const clients: StreamClient[] = []

beforeEach(async () => {
  cluster = await TestCluster.start()
  viewer = (await cluster.createToken({ role: 'viewer' })).token
  await cluster.write(...usualWorld)
  replica = await cluster.replica()
})

afterEach(async () => {
  for (const client of clients.splice(0)) client.cut()
  await cluster.stop()
})

interface Call {
  readonly token?: string
  readonly headers?: Record<string, string>
  readonly body?: unknown
  readonly on?: TestReplica
}

async function call(path: string, { token = viewer, headers = {}, body, on = replica }: Call = {}) {
  return fetch(`${on.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? null : JSON.stringify(body),
  })
}

async function read<S extends TSchema>(schema: S, path: string, options?: Call) {
  const response = await call(path, options)
  expect([path, response.status]).toEqual([path, 200])
  return Value.Parse(schema, await response.json())
}

async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as ErrorBody).error.code
}

async function follow(tenant: string, options: { token?: string; instance?: string; channels?: string } = {}) {
  const client = new StreamClient({ tenant, token: viewer, ...options })
  clients.push(client)
  await client.connect(replica.url)
  await client.until(() => client.view.revision !== undefined)
  return client
}

async function report(client: StreamClient, body: { appliedRevision: string; error?: string }, token = viewer) {
  return call(`/v1/subscriptions/${client.hello?.subscriptionId}/applied`, { body, token })
}

it('answers the view that the pure functions make, whatever was written a moment ago', async () => {
  for (let level = 2; level < 12; level += 1) {
    const revision = await cluster.write(putDocument('integration', '*', { level }), maskEntry('f1', 'b'))
    const view = await read(ResolvedView, '/v1/tenants/f1/view')
    expect(view.storeRevision).toBe(String(revision))
    expect(view).toMatchObject({
      tenant: 'f1',
      service: null,
      chain: ['f1', 'integration'],
      config: { '*': { level } },
    })
    expect(view.services).toMatchObject({ a: { state: 'own' }, b: { state: 'masked' }, c: { state: 'inherited' } })
    expect(view.hash).toBe(hashItems(viewItems(replica.mirror.catalog, 'f1', null)))
  }
})

it('says the true revision when a write does not change the view', async () => {
  const before = await read(ResolvedView, '/v1/tenants/f1/view')
  const revision = await cluster.write(putTenant('other', 'production'))
  expect(await read(ResolvedView, '/v1/tenants/f1/view')).toEqual({ ...before, storeRevision: String(revision) })
})

it('answers one service’s config document alone when asked for it', async () => {
  const view = await read(ResolvedView, '/v1/tenants/f1/view?service=a')
  expect(view.service).toBe('a')
  expect(view.config).toEqual({ a: { level: 1, size: 1, list: [1] } })
  expect(Object.keys(view.services).sort()).toEqual(['a', 'b', 'c'])
})

it('answers 304 to whoever has the view, and the new one after a change', async () => {
  const first = await call('/v1/tenants/f1/view')
  const etag = first.headers.get('etag') ?? ''
  const view = Value.Parse(ResolvedView, await first.json())
  expect(etag).toBe(`W/"${view.hash}"`)
  await cluster.write(putTenant('other', 'production'))
  for (const tag of [etag, `"${view.hash}"`, `"x", ${etag}`, '*']) {
    const again = await call('/v1/tenants/f1/view', { headers: { 'if-none-match': tag } })
    expect([again.status, await again.text()]).toEqual([304, ''])
  }
  await cluster.write(dropEntry('f1', 'a'))
  expect((await call('/v1/tenants/f1/view', { headers: { 'if-none-match': etag } })).status).toBe(200)
})

it('answers the table of the tenant’s tree', async () => {
  await cluster.write(maskEntry('f1', 'b'))
  const table = await read(RouteTable, '/v1/tenants/f3/routes')
  expect(table.root).toBe('integration')
  expect(Object.keys(table.tenants).sort()).toEqual(['f1', 'f2', 'f3', 'integration'])
  expect(table.tenants['f1']).toEqual({
    base: 'integration',
    entries: {
      a: { state: 'present', endpoints: [expect.objectContaining({ port: 100 })] },
      b: { state: 'masked', endpoints: [] },
    },
  })
  expect(table.hash).toBe(hashItems(routeItems(replica.mirror.catalog, 'integration')))
})

it('refuses unknown tenants, foreign tenant tokens, no token and odd queries', async () => {
  const { token: foreign } = await cluster.createToken({ role: 'tenant', tenant: 'f2' })
  for (const path of ['view', 'routes', 'stream', 'poll?timeoutMs=0']) {
    const unknown = await call(`/v1/tenants/nobody/${path}`)
    expect([path, unknown.status, await codeOf(unknown)]).toEqual([path, 404, 'TENANT_NOT_FOUND'])
    expect([path, (await call(`/v1/tenants/f1/${path}`, { token: foreign })).status]).toEqual([path, 403])
    expect([path, (await fetch(`${replica.url}/v1/tenants/f1/${path}`)).status]).toEqual([path, 401])
  }
  for (const query of ['channels=other', 'after=-1', 'viewHash=x', 'service=Not_A_Name', 'unknown=1']) {
    const odd = await call(`/v1/tenants/f1/stream?${query}`)
    expect([query, odd.status]).toEqual([query, 400])
  }
})

it('opens no stream for a HEAD', async () => {
  const response = await fetch(`${replica.url}/v1/tenants/f1/stream`, {
    method: 'HEAD',
    headers: { authorization: `Bearer ${viewer}` },
  })
  expect([response.status, replica.hub.connectionCount]).toEqual([404, 0])
})

it('answers reads with 503 while the store is away', async () => {
  const store = new CuttableStore(cluster.store)
  const remote = await cluster.replica({}, store)
  store.cut()
  const response = await call('/v1/tenants/f1/view', { on: remote })
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
  expect(await codeOf(response)).toBe('STORE_UNAVAILABLE')
})

it('polls a snapshot, then only what changes, then nothing', async () => {
  const path = '/v1/tenants/f1/poll?channels=view,routes'
  const first = await read(PollResult, path)
  expect(first.frames.map(({ event }) => event)).toEqual(['routes.snapshot', 'view.snapshot'])
  const waiting = read(PollResult, `${path}&after=${first.storeRevision}&timeoutMs=10000`)
  await eventually(() => expect(replica.hub.book.size).toBe(1))
  const revision = await cluster.write(dropEntry('f1', 'a'))
  const second = await waiting
  expect(second.storeRevision).toBe(String(revision))
  expect(second.frames.map(({ event }) => event)).toEqual(['routes.delta', 'view.delta'])
  const third = await read(PollResult, `${path}&after=${second.storeRevision}&timeoutMs=0`)
  expect(third).toEqual({ storeRevision: String(revision), frames: [] })
  expect(replica.hub.connectionCount).toBe(0)
})

it('answers a poll at once with what was missed since', async () => {
  const first = await read(PollResult, '/v1/tenants/f1/poll?timeoutMs=0')
  await cluster.write(dropEntry('f1', 'a'))
  const last = await cluster.write(putEntry('integration', 'a', 9))
  await replica.mirror.waitFor(last, { signal: AbortSignal.timeout(5_000) })
  const missed = await read(PollResult, `/v1/tenants/f1/poll?timeoutMs=10000&after=${first.storeRevision}`)
  expect(missed.frames.map(({ event }) => event)).toEqual(['view.delta', 'view.delta'])
})

it('ends a poll with a goodbye when the tenant is deleted, and forgets one whose client has gone', async () => {
  const { storeRevision } = await read(PollResult, '/v1/tenants/f2/poll?timeoutMs=0')
  const path = `/v1/tenants/f2/poll?timeoutMs=30000&after=${storeRevision}`
  const abandoned = get(`${replica.url}${path}`, { agent: false, headers: { authorization: `Bearer ${viewer}` } })
  abandoned.on('error', () => undefined)
  const waiting = read(PollResult, path)
  await eventually(() => expect(replica.hub.book.size).toBe(2))
  abandoned.destroy()
  await eventually(() => expect(replica.hub.book.size).toBe(1))
  await cluster.write(dropTenant('f2'))
  expect((await waiting).frames).toMatchObject([{ event: 'goodbye', data: { reason: 'tenant_deleted' } }])
})

it('lists streams with what they have been sent and have applied, which never goes back', async () => {
  const list = () =>
    read(Type.Object({ storeRevision: Type.String(), subscriptions: Type.Array(Subscription) }), '/v1/subscriptions')
  const client = await follow('f1', { instance: 'orders-1' })
  await follow('f2')
  const revision = await cluster.write(dropEntry('f1', 'a'))
  await client.reaches(revision)
  expect((await report(client, { appliedRevision: String(revision) })).status).toBe(204)
  expect((await report(client, { appliedRevision: '1', error: 'cannot listen' })).status).toBe(204)
  const { subscriptions } = await list()
  expect(subscriptions.map(({ tenant }) => tenant)).toEqual(['f1', 'f2'])
  expect(subscriptions[0]).toMatchObject({
    subscriptionId: client.hello?.subscriptionId,
    instance: 'orders-1',
    sentRevision: String(revision),
    appliedRevision: String(revision),
    error: 'cannot listen',
  })
  client.cut()
  await eventually(async () => expect((await list()).subscriptions).toHaveLength(1))
})

it('takes a subscriber for up to date that has applied all that concerned it, whatever was written since', async () => {
  const client = await follow('f1')
  const applied = client.hello?.storeRevision ?? ''
  expect((await report(client, { appliedRevision: applied })).status).toBe(204)
  const elsewhere = await cluster.write(putEntry('f2', 'c', 7))
  await replica.mirror.waitFor(elsewhere, { signal: AbortSignal.timeout(20_000) })
  replica.hub.beat()
  await client.reaches(elsewhere)
  const { subscriptions } = await read(
    Type.Object({ storeRevision: Type.String(), subscriptions: Type.Array(Subscription) }),
    '/v1/subscriptions',
  )
  expect(subscriptions).toMatchObject([{ tenant: 'f1', sentRevision: applied, appliedRevision: applied }])
})

it('takes a report from the token that opened the stream or from the tenant’s own, and from nobody else', async () => {
  const own = (await cluster.createToken({ role: 'tenant', tenant: 'f1' })).token
  const foreign = (await cluster.createToken({ role: 'tenant', tenant: 'f2' })).token
  const admin = (await cluster.createToken({ role: 'admin' })).token
  const client = await follow('f1')
  const body = { appliedRevision: client.hello?.storeRevision ?? '' }
  expect((await report(client, body)).status).toBe(204)
  expect((await report(client, body, own)).status).toBe(204)
  expect((await report(client, body, foreign)).status).toBe(403)
  expect((await report(client, body, admin)).status).toBe(403)
  expect((await report(client, { appliedRevision: '999' })).status).toBe(422)
  client.cut()
  await eventually(async () => expect((await report(client, body)).status).toBe(404))
})

it('waits for reports: converged when all who are affected have applied it', async () => {
  const [first, second, unaffected] = [await follow('f2'), await follow('f2'), await follow('f1')]
  const revision = await cluster.write(putEntry('integration', 'a', 9))
  await Promise.all([first.reaches(revision), second.reaches(revision)])
  const waiting = read(Convergence, `/v1/convergence?revision=${revision}&timeoutMs=10000`)
  for (const client of [first, second]) await report(client, { appliedRevision: String(revision) })
  expect(await waiting).toEqual({ storeRevision: String(revision), converged: true, affected: 2, laggards: [] })
  expect(unaffected.view.revision).toBeLessThan(revision)
})

it('lists the laggards at the deadline', async () => {
  const client = await follow('f2', { instance: 'slow-1' })
  const revision = await cluster.write(putEntry('integration', 'a', 9))
  const result = await read(Convergence, `/v1/convergence?revision=${revision}&timeoutMs=50`)
  expect(result).toMatchObject({ converged: false, affected: 1 })
  expect(result.laggards).toMatchObject([
    { subscriptionId: client.hello?.subscriptionId, tenant: 'f2', instance: 'slow-1', error: null },
  ])
})

it('does not wait for one that reports an error, and lists it', async () => {
  const client = await follow('f2')
  const revision = await cluster.write(putEntry('integration', 'a', 9))
  await client.reaches(revision)
  const waiting = read(Convergence, `/v1/convergence?revision=${revision}&timeoutMs=10000`)
  await report(client, { appliedRevision: String(revision), error: 'port in use' })
  expect(await waiting).toMatchObject({ converged: false, affected: 1, laggards: [{ error: 'port in use' }] })
})

it('does not wait for one that leaves, but waits again for one that comes back behind', async () => {
  const [leaver, returner] = [await follow('f2'), await follow('f2')]
  const revision = await cluster.write(putEntry('integration', 'a', 9))
  await Promise.all([leaver.reaches(revision), returner.reaches(revision)])
  const stop = new AbortController()
  const waiting = replica.convergence.wait({ storeRevision: revision, timeoutMs: 10_000, signal: stop.signal })
  await returner.connect(replica.url)
  await returner.until(() => returner.frames.at(-1)?.event === 'view.resumed')
  leaver.cut()
  // Resuming at the revision is as good as a report: the client names only what it has applied.
  expect(await waiting).toMatchObject({ converged: true, laggards: [] })
})

it('waits only for the tenant that it is asked about', async () => {
  await follow('f2')
  const other = await follow('f3')
  const revision = await cluster.write(putEntry('integration', 'b', 9))
  await other.reaches(revision)
  await report(other, { appliedRevision: String(revision) })
  const path = `/v1/convergence?revision=${revision}&tenant=f3&timeoutMs=10000`
  expect(await read(Convergence, path)).toMatchObject({ converged: true, affected: 1 })
})

it('does not claim convergence for a revision that this replica has not reached', async () => {
  const next = (await cluster.store.currentRevision()) + 1n
  expect(await read(Convergence, `/v1/convergence?revision=${next}&timeoutMs=20`)).toMatchObject({ converged: false })
  const waiting = read(Convergence, `/v1/convergence?revision=${next}&timeoutMs=10000`)
  await cluster.write(putEntry('integration', 'b', 9))
  expect(await waiting).toMatchObject({ converged: true, affected: 0 })
})
