import type { HistoryRecord } from '@tributary/contract'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { codeOf, detailsOf, TestCenter } from './test-center.test-support.js'
import { pruneHistory, readHistoryFloor } from '../operations/prune-history.js'

let center: TestCenter

beforeEach(async () => {
  center = await TestCenter.start()
  await center.ok('PUT', '/v1/tenants/one', { base: null })
  await center.ok('PUT', '/v1/tenants/two', { base: null })
})

afterEach(() => center.close())

async function write(tenant: string, level: number): Promise<string> {
  const path = `/v1/tenants/${tenant}/documents/orders`
  return (await center.ok<{ storeRevision: string }>('PUT', path, { level })).storeRevision
}

async function historyOf(tenant: string): Promise<HistoryRecord[]> {
  const path = `/v1/tenants/${tenant}/history?limit=200`
  return (await center.ok<{ records: HistoryRecord[] }>('GET', path)).records
}

function prune(maxRecords: number, store = center.store): Promise<number> {
  const limits = { maxRecords, maxAgeMs: 86_400_000 }
  return pruneHistory({ store, limits, now: Date.now(), signal: AbortSignal.timeout(10_000) })
}

it('keeps the newest records of each tenant, over several transactions and pages', async () => {
  const revisions: string[] = []
  for (let level = 0; level < 130; level += 1) revisions.push(await write('one', level))
  await write('two', 1)
  expect(await prune(10)).toBe(131 - 10)
  expect((await historyOf('one')).map(({ storeRevision }) => storeRevision)).toEqual(revisions.slice(-10).reverse())
  expect(await historyOf('two')).toHaveLength(2)
  expect(await prune(10)).toBe(0)
}, 60_000)

it('forgets by age, also of a deleted tenant', async () => {
  await write('two', 1)
  await center.ok('DELETE', '/v1/tenants/two')
  const later = { store: center.store, limits: { maxRecords: 100, maxAgeMs: 1_000 }, now: Date.now() + 5_000 }
  expect(await pruneHistory({ ...later, signal: AbortSignal.timeout(10_000) })).toBeGreaterThan(2)
  expect(await historyOf('one')).toEqual([])
})

it('still rolls back to any revision from the newest forgotten write on, and refuses earlier ones', async () => {
  const revisions: string[] = []
  for (let level = 0; level < 8; level += 1) revisions.push(await write('one', level))
  await prune(3)
  const floor = revisions[4] ?? ''
  expect(String(await readHistoryFloor(center.store, 'one'))).toBe(floor)
  const rollback = (toRevision: string) =>
    center.call('POST', '/v1/tenants/one/rollback', { body: { toRevision, scope: 'documents' } })
  const refused = await rollback(revisions[3] ?? '')
  expect([refused.status, codeOf(refused), detailsOf(refused)['knownFromRevision']]).toEqual([
    410,
    'HISTORY_FORGOTTEN',
    floor,
  ])
  expect((await rollback(floor)).status).toBe(200)
  expect(await center.ok('GET', '/v1/tenants/one/documents/orders')).toMatchObject({ data: { level: 4 } })
  const diff = await center.call('GET', `/v1/tenants/one/diff?fromRevision=${revisions[0]}`)
  expect(codeOf(diff)).toBe('HISTORY_FORGOTTEN')
})

it('lets two replicas prune at the same time', async () => {
  for (let level = 0; level < 20; level += 1) await write('one', level)
  const pruned = await Promise.all([prune(5), prune(5)])
  expect(pruned.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(16)
  expect(await historyOf('one')).toHaveLength(5)
})
