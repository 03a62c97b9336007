import { setMaxListeners } from 'node:events'
import { eventually } from '@tributary/testkit'
import type { WatchBatch } from '@tributary/store'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { CatalogChange } from '../domain/catalog.js'
import { HISTORY_PREFIX, TOKEN_PREFIX } from '../domain/keys.js'
import { CatalogMirror } from './catalog-mirror.js'
import { CuttableStore } from '../testing/cuttable-store.test-support.js'
import { dropTenant, putEntry, putTenant } from '../testing/random-world.test-support.js'
import { TestCluster } from '../testing/replica.test-support.js'

let cluster: TestCluster
let store: CuttableStore
let stopping: AbortController
const { signal } = new AbortController()
setMaxListeners(0, signal)

beforeEach(async () => {
  cluster = await TestCluster.start()
  store = new CuttableStore(cluster.store)
  stopping = new AbortController()
})

afterEach(async () => {
  stopping.abort()
  await cluster.stop()
})

function startMirror(): Promise<CatalogMirror> {
  return CatalogMirror.start({ store, signal: stopping.signal, retry: { initialMs: 1, maxMs: 5 } })
}

it('has everything that was there when it starts, read with one listing', async () => {
  const revision = await cluster.write(putTenant('integration', null), putEntry('integration', 'a', 1))
  const mirror = await startMirror()
  expect(mirror.catalog.storeRevision).toBe(revision)
  expect(mirror.catalog.entry('integration', 'a')?.endpoints).toMatchObject([{ port: 1 }])
  expect(store.ranges).toBe(1)
})

it('reads linearizably: a write that was acknowledged is there', async () => {
  const mirror = await startMirror()
  for (let port = 1; port <= 20; port += 1) {
    await cluster.write(putEntry('integration', 'a', port))
    const catalog = await mirror.readLinearizable({ signal })
    expect(catalog.entry('integration', 'a')?.endpoints).toMatchObject([{ port }])
  }
})

it('shares one question to the store among readers that ask at the same time', async () => {
  const mirror = await startMirror()
  const before = store.questions
  await Promise.all(Array.from({ length: 100 }, () => mirror.readLinearizable({ signal })))
  expect(store.questions - before).toBe(1)
})

it('gives up on a store that hangs when its caller does, and goes on when the store does', async () => {
  const mirror = await startMirror()
  const go = store.stall()
  const late = AbortSignal.timeout(20)
  await expect(mirror.readLinearizable({ signal: late })).rejects.toMatchObject({ name: 'TimeoutError' })
  const patient = mirror.readLinearizable({ signal })
  go()
  expect(await patient).toBe(mirror.catalog)
})

it('lists again when the store has compacted what it missed, and tells the difference as one batch', async () => {
  await cluster.write(putTenant('integration', null), putTenant('f1', 'integration'), putEntry('f1', 'a', 1))
  const mirror = await startMirror()
  const told: { changes: readonly CatalogChange[]; revision: bigint }[] = []
  mirror.onChanges((changes, revision) => told.push({ changes, revision }))
  store.cut()
  await cluster.write(dropTenant('f1'))
  await cluster.write(putEntry('integration', 'a', 2))
  const last = await cluster.write(putTenant('f2', 'integration'))
  await cluster.store.compact(last)
  store.heal()
  await mirror.waitFor(last, { signal: AbortSignal.timeout(5_000) })
  expect(told).toHaveLength(1)
  expect(told[0]?.revision).toBe(last)
  expect(told[0]?.changes.map((change) => `${change.kind} ${change.tenant}`).sort()).toEqual([
    'entry integration',
    'tenant f1',
    'tenant f2',
  ])
})

it('serves what it has while the store is away, says since when, and catches up', async () => {
  await cluster.write(putTenant('integration', null))
  const mirror = await startMirror()
  expect(mirror.health).toEqual({ state: 'live' })
  store.cut()
  await eventually(() => expect(mirror.health).toMatchObject({ state: 'stale', since: expect.any(Number) }))
  expect(mirror.catalog.tenant('integration')).toBeDefined()
  await expect(mirror.readLinearizable({ signal })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  const revision = await cluster.write(putTenant('f1', 'integration'))
  store.heal()
  await mirror.waitFor(revision, { signal: AbortSignal.timeout(5_000) })
  expect(mirror.health).toEqual({ state: 'live' })
})

it('gives a consumer all keys at once, then every batch, but not the history', async () => {
  await cluster.write({ key: `${TOKEN_PREFIX}t1`, value: '{}' }, { key: `${HISTORY_PREFIX}f1/1`, value: '{}' })
  const mirror = await startMirror()
  const batches: WatchBatch[] = []
  mirror.addConsumer({ applyBatch: (batch) => batches.push(batch) })
  const revision = await cluster.write(
    { key: `${TOKEN_PREFIX}t2`, value: '{}' },
    { key: `${HISTORY_PREFIX}f1/2`, value: '{}' },
  )
  await mirror.waitFor(revision, { signal: AbortSignal.timeout(5_000) })
  const keys = batches.map(({ events }) => events.map((event) => (event.kind === 'put' ? event.entry.key : event.key)))
  expect(keys).toEqual([[`${TOKEN_PREFIX}t1`], [`${TOKEN_PREFIX}t2`]])
})

it('starts past a long history without keeping it', async () => {
  const history = Array.from({ length: 100 }, (_, index) => ({ key: `${HISTORY_PREFIX}f1/${index}`, value: '{}' }))
  for (let round = 0; round < 25; round += 1) {
    await cluster.write(...history.map(({ key, value }) => ({ key: `${key}/${round}`, value })))
  }
  const revision = await cluster.write(putTenant('integration', null))
  const mirror = await startMirror()
  expect(mirror.catalog.storeRevision).toBe(revision)
  expect(mirror.catalog.tenant('integration')).toBeDefined()
  // 2,500 records are three pages; it leaves them after the first that ends among them.
  expect(store.ranges).toBe(2)
})

it('rejects whoever waits when it is stopped, and the signal of one waiter ends that waiter alone', async () => {
  const mirror = await startMirror()
  const impatient = new AbortController()
  const first = mirror.waitFor(100n, { signal: impatient.signal })
  const second = mirror.waitFor(100n, { signal })
  impatient.abort(new Error('gave up'))
  await expect(first).rejects.toThrow('gave up')
  await Promise.all([expect(second).rejects.toMatchObject({ code: 'STORE_CLOSED' }), mirror.stop()])
})

it('reaches a revision that only others have moved the store to, with a bookmark of its own', async () => {
  const mirror = await startMirror()
  const { storeRevision } = mirror.catalog
  // As in an etcd that is shared: it answers at a revision that no watch of this store delivers.
  const others = storeRevision + 1n
  vi.spyOn(store, 'range').mockImplementation(async () => ({ storeRevision: others, entries: [], more: false }))
  expect(await mirror.reach(others, { signal })).toBe(true)
  expect(mirror.catalog.storeRevision).toBeGreaterThanOrEqual(others)
})

it('says when a revision is of a history that the store does not have, and writes nothing for it', async () => {
  const mirror = await startMirror()
  const before = await cluster.store.currentRevision()
  expect(await mirror.reach(before + 1_000n, { signal })).toBe(false)
  expect(await cluster.store.currentRevision()).toBe(before)
})

it('does not reach what it has not seen while the store is away', async () => {
  const mirror = await startMirror()
  store.cut()
  const revision = await cluster.write(putTenant('integration', null))
  await expect(mirror.reach(revision, { signal })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
})
