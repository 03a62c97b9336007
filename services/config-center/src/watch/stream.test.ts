import { connect } from 'node:net'
import type { PollResult } from '@tributary/contract'
import { eventually } from '@tributary/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { TOKEN_PREFIX } from '../domain/keys.js'
import { CuttableStore } from '../testing/cuttable-store.test-support.js'
import {
  dropEntry,
  dropTenant,
  putDocument,
  putEntry,
  putTenant,
  usualWorld,
} from '../testing/random-world.test-support.js'
import { TestCluster, type TestReplica } from '../testing/replica.test-support.js'
import { ReconnectWindow } from './reconnect-window.js'
import { StreamClient, type StreamClientOptions } from '../testing/stream-client.test-support.js'

let cluster: TestCluster
let replica: TestReplica
let token: string
const clients: StreamClient[] = []

beforeEach(async () => {
  cluster = await TestCluster.start()
  token = (await cluster.createToken({ role: 'viewer' })).token
  await cluster.write(...usualWorld)
  replica = await cluster.replica()
})

afterEach(async () => {
  for (const client of clients.splice(0)) client.cut()
  await cluster.stop()
})

async function follow(options: StreamClientOptions, on = replica): Promise<StreamClient> {
  const client = new StreamClient(options)
  clients.push(client)
  const first = options.channels?.includes(',') === true ? 3 : 2
  await client.connect(on.url)
  await client.until(() => client.frames.length >= first)
  return client
}

it('greets, sends the table, then the view, and only the last frame of a write has an id', async () => {
  const client = new StreamClient({ tenant: 'f1', channels: 'view,routes', token })
  const response = await client.connect(replica.url)
  await client.until(() => client.frames.length >= 3)
  expect(client.frames.map(({ event }) => event)).toEqual(['hello', 'routes.snapshot', 'view.snapshot'])
  expect(client.frames.map(({ id }) => id)).toEqual(['', '', String(await cluster.store.currentRevision())])
  expect(response.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  })
  expect(response.headers['content-encoding']).toBeUndefined()
  client.cut()
})

it('sends the end of an own entry as one delta that shows the base’s', async () => {
  const client = await follow({ tenant: 'f1', token })
  const revision = await cluster.write(dropEntry('f1', 'a'))
  await client.reaches(revision)
  expect(client.frames.slice(2)).toMatchObject([
    {
      event: 'view.delta',
      id: String(revision),
      data: { changes: [{ key: 'service/a', value: { state: 'inherited', owner: 'integration' } }] },
    },
  ])
})

it('wakes only those whose view a change of the base changes', async () => {
  const [shadowed, affected] = [await follow({ tenant: 'f1', token }), await follow({ tenant: 'f2', token })]
  const seen = shadowed.frames.length
  const revision = await cluster.write(putEntry('integration', 'a', 9))
  await affected.reaches(revision)
  replica.hub.beat()
  await shadowed.reaches(revision)
  expect(shadowed.frames.slice(seen).map(({ event }) => event)).toEqual(['heartbeat'])
})

it('resumes after a cut with the missing delta alone', async () => {
  const client = await follow({ tenant: 'f1', token, sendHashes: false })
  client.cut()
  const revision = await cluster.write(dropEntry('f1', 'a'))
  await replica.mirror.waitFor(revision, { signal: AbortSignal.timeout(5_000) })
  await client.connect(replica.url)
  await client.reaches(revision)
  expect(client.frames.slice(2).map(({ event }) => event)).toEqual(['hello', 'view.delta'])
  expect(client.view.violations).toEqual([])
})

it('resumes from a heartbeat’s revision', async () => {
  const client = await follow({ tenant: 'f1', token, sendHashes: false })
  const revision = await cluster.write(putTenant('other', 'production'))
  await replica.mirror.waitFor(revision, { signal: AbortSignal.timeout(5_000) })
  replica.hub.beat()
  await client.reaches(revision)
  client.cut()
  await client.connect(replica.url)
  await client.until(() => client.frames.at(-1)?.event === 'view.resumed')
  expect(client.view.revision).toBe(revision)
})

it('resumes on another replica, which has no history, by the hash', async () => {
  const client = await follow({ tenant: 'f1', channels: 'view,routes', token })
  client.cut()
  const other = await cluster.replica()
  await client.connect(other.url)
  await client.until(() => client.frames.length >= 6)
  expect(client.frames.slice(3).map(({ event }) => event)).toEqual(['hello', 'routes.resumed', 'view.resumed'])
})

it('sends a snapshot to a client whose hash is not that of its revision', async () => {
  const client = await follow({ tenant: 'f1', token })
  client.view.items.set('service/a', { state: 'own', owner: 'nobody', endpoints: [] })
  await client.connect(replica.url)
  await client.until(() => client.frames.length >= 4)
  expect(client.frames.at(-1)?.event).toBe('view.snapshot')
  expect(client.view.items.get('service/a')).toMatchObject({ owner: 'f1' })
})

it('resumes each channel from where it is, although they share a cursor', async () => {
  const client = await follow({ tenant: 'f1', channels: 'view,routes', token })
  // Only the table shows an entry of another tenant of the tree; the view stays where it was.
  const first = await cluster.write(putEntry('f2', 'c', 5))
  await client.until(() => client.routes.revision === first)
  const after = client.view.revision ?? 0n
  client.cut()
  const second = await cluster.write(putEntry('f2', 'c', 6))
  await replica.mirror.waitFor(second, { signal: AbortSignal.timeout(5_000) })
  const hashes = `viewHash=${client.view.hash}&routesHash=${client.routes.hash}`
  const path = `/v1/tenants/f1/poll?channels=view,routes&after=${after}&${hashes}`
  const response = await fetch(`${replica.url}${path}`, { headers: { authorization: `Bearer ${token}` } })
  const { frames } = (await response.json()) as PollResult
  expect(frames).toMatchObject([{ event: 'routes.delta', data: { from: String(first), to: String(second) } }])
})

it('moves a subscriber to the table of its tenant’s new root', async () => {
  const client = await follow({ tenant: 'f2', channels: 'view,routes', token })
  const revision = await cluster.write(putTenant('f2', 'production'))
  await client.reaches(revision)
  expect(client.frames.slice(3).map(({ event }) => event)).toEqual(['routes.snapshot', 'view.delta'])
  expect([...client.routes.items.keys()]).toContain('tenant/production')
  const next = await cluster.write(putEntry('production', 'a', 5))
  await client.reaches(next)
  expect([...client.routes.violations, ...client.view.violations]).toEqual([])
})

it('says goodbye when the tenant is deleted, and 404 to whoever comes then', async () => {
  const client = await follow({ tenant: 'f2', token })
  await cluster.write(dropTenant('f2'))
  await client.until(() => client.ended === 1)
  expect(client.goodbye).toBe('tenant_deleted')
  await client.connect(replica.url)
  expect(client.status).toBe(404)
})

it('says goodbye when the token is revoked', async () => {
  const revoked = await cluster.createToken({ role: 'tenant', tenant: 'f1' })
  const kept = await follow({ tenant: 'f1', token })
  const client = await follow({ tenant: 'f1', token: revoked.token })
  await cluster.write({ key: `${TOKEN_PREFIX}${revoked.tokenId}` })
  await client.until(() => client.ended === 1)
  expect([client.goodbye, kept.goodbye]).toEqual(['token_revoked', undefined])
  await client.connect(replica.url)
  expect(client.status).toBe(401)
})

it('names the tenant as the reason when its tokens go with it', async () => {
  const own = await cluster.createToken({ role: 'tenant', tenant: 'f2' })
  const client = await follow({ tenant: 'f2', token: own.token })
  await cluster.write(dropTenant('f2'), { key: `${TOKEN_PREFIX}${own.tokenId}` })
  await client.until(() => client.ended === 1)
  expect(client.goodbye).toBe('tenant_deleted')
})

it('says goodbye to all and waits for them when the server closes', async () => {
  const clients = [await follow({ tenant: 'f1', token }), await follow({ tenant: 'f2', token })]
  await replica.close()
  expect(replica.hub.connectionCount).toBe(0)
  await Promise.all(clients.map((client) => client.until(() => client.ended === 1)))
  expect(clients.map(({ goodbye }) => goodbye)).toEqual(['draining', 'draining'])
})

/** Changes a document until `done`, too often for the sockets' own buffers, which take a few megabytes. */
async function flood(on: TestReplica, done: () => boolean): Promise<bigint> {
  const text = 'x'.repeat(200_000)
  let revision = 0n
  for (let size = 0; !done() && size < 200; size += 1) {
    revision = await cluster.write(putDocument('f1', 'a', { size, text }))
    await on.mirror.waitFor(revision, { signal: AbortSignal.timeout(5_000) })
    await new Promise((resolve) => setImmediate(resolve))
  }
  return revision
}

it('gives a subscriber that reads late the net change in one delta, and nobody else notices', async () => {
  const small = await cluster.replica({ maxUnsentBytes: 64 * 1024 })
  const slow = await follow({ tenant: 'f1', channels: 'view,routes', token }, small)
  const fast = await follow({ tenant: 'f1', channels: 'view,routes', token }, small)
  slow.pause()
  let changes = 0
  const revision = await flood(small, () => (changes += 1) > 60)
  const last = await cluster.write(putEntry('f1', 'a', 99), putDocument('f1', 'b', { level: 7 }))
  await fast.reaches(last)
  slow.resume()
  await slow.reaches(last)
  expect(last).toBeGreaterThan(revision)
  expect([slow.ended, slow.view.violations, slow.routes.violations]).toEqual([0, [], []])
  expect([slow.view.text, slow.routes.text]).toEqual([fast.view.text, fast.routes.text])
  expect(fast.view.violations).toEqual([])
  const deltas = (client: StreamClient): number => client.view.states.filter(({ via }) => via === 'delta').length
  expect(deltas(slow)).toBeLessThan(deltas(fast) / 2)
})

it('says goodbye to a subscriber that does not read at all, which then catches up by coming back', async () => {
  const small = await cluster.replica({ maxUnsentBytes: 64 * 1024 })
  const stuck = await follow({ tenant: 'f1', token }, small)
  const fast = await follow({ tenant: 'f1', token }, small)
  stuck.pause()
  const beat = (): boolean => {
    small.hub.beat()
    return small.hub.book.size === 1
  }
  const revision = await flood(small, beat)
  expect(small.hub.book.list().map(({ subscriptionId }) => subscriptionId)).toEqual([fast.hello?.subscriptionId])
  await fast.reaches(revision)
  stuck.resume()
  await stuck.until(() => stuck.ended === 1)
  expect(stuck.goodbye).toBe('slow_consumer')
  await stuck.connect(small.url)
  await stuck.reaches(revision)
  expect(stuck.view.violations).toEqual([])
  expect(stuck.view.text).toBe(fast.view.text)
})

it('treats a subscriber that reads a byte at a time as one that reads nothing', async () => {
  const small = await cluster.replica({ maxUnsentBytes: 64 * 1024 })
  const fast = await follow({ tenant: 'f1', token }, small)
  const onread = { buffer: Buffer.alloc(1), callback: () => false }
  const drip = connect({ port: Number(new URL(small.url).port), host: '127.0.0.1', onread })
  drip.on('error', () => undefined)
  drip.write(`GET /v1/tenants/f1/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`)
  await eventually(() => expect(small.hub.book.size).toBe(2))
  const revision = await flood(small, () => {
    drip.resume()
    small.hub.beat()
    return small.hub.book.size === 1
  })
  expect(small.hub.book.list().map(({ subscriptionId }) => subscriptionId)).toEqual([fast.hello?.subscriptionId])
  expect(drip.bytesRead).toBeGreaterThan(0)
  await fast.reaches(revision)
  expect(fast.view.violations).toEqual([])
  drip.destroy()
})

it('destroys a connection that does not even take its goodbye', async () => {
  const small = await cluster.replica({ maxUnsentBytes: 1_024 })
  const stuck = await follow({ tenant: 'f1', token }, small)
  stuck.pause()
  await flood(small, () => {
    small.hub.beat()
    return small.hub.book.size === 0
  })
  expect(small.hub.connectionCount).toBeLessThanOrEqual(1)
  small.hub.beat()
  small.hub.beat()
  await eventually(() => expect(small.hub.connectionCount).toBe(0))
})

it('frees everything when clients go', async () => {
  const lean = await cluster.replica({ maxIdleChannels: 0 })
  const clients = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      follow({ tenant: index % 2 === 0 ? 'f1' : 'f2', channels: 'view,routes', token }, lean),
    ),
  )
  expect([lean.hub.book.size, lean.hub.views.size, lean.hub.tables.size]).toEqual([50, 2, 1])
  for (const client of clients) client.cut()
  await eventually(() => expect(lean.hub.connectionCount).toBe(0))
  expect([lean.hub.views.size, lean.hub.tables.size]).toEqual([0, 0])
})

it('goes on after the store was away and has compacted what was missed', async () => {
  const store = new CuttableStore(cluster.store)
  const remote = await cluster.replica({}, store)
  const client = await follow({ tenant: 'f1', channels: 'view,routes', token }, remote)
  store.cut()
  await cluster.write(dropEntry('f1', 'a'))
  const last = await cluster.write(putEntry('f1', 'b', 7), putDocument('integration', '*', { level: 2 }))
  await cluster.store.compact(last)
  store.heal()
  await client.reaches(last)
  expect(client.frames.slice(3).map(({ event }) => event)).toEqual(['routes.delta', 'view.delta'])
  expect([...client.view.violations, ...client.routes.violations]).toEqual([])
  expect(client.view.items.get('service/b')).toMatchObject({ state: 'own', endpoints: [{ port: 7 }] })
})

it('keeps its streams open while the store is away', async () => {
  const store = new CuttableStore(cluster.store)
  const remote = await cluster.replica({}, store)
  const client = await follow({ tenant: 'f1', token }, remote)
  store.cut()
  await eventually(() => expect(remote.mirror.health.state).toBe('stale'))
  const late = await follow({ tenant: 'f2', token }, remote)
  store.heal()
  const revision = await cluster.write(putEntry('integration', 'b', 8))
  await Promise.all([client.reaches(revision), late.reaches(revision)])
  expect([client.ended, late.ended]).toEqual([0, 0])
})

it('grows the window for reconnecting with the number of subscribers', () => {
  const window = new ReconnectWindow()
  window.observe(10)
  const few = window.ms
  window.observe(5_000)
  window.observe(1)
  expect(window.ms).toBeGreaterThan(few)
  expect(window.ms).toBe(5_000)
})

it('refuses more subscribers than it may have', async () => {
  const full = await cluster.replica({ maxSubscribers: 1 })
  await follow({ tenant: 'f1', token }, full)
  const client = new StreamClient({ tenant: 'f1', token })
  const response = await client.connect(full.url)
  expect([response.statusCode, response.headers['retry-after']]).toEqual([429, '1'])
})
