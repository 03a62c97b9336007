import type { HistoryRecord } from '@tributary/contract'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedStore, type RevisionedStore } from '@tributary/store'
import { assembleConfigCenter } from '../start.js'
import { pruneHistory } from '../operations/prune-history.js'
import { exportStore } from './export-store.js'
import { importStore } from './import-store.js'
import { parseExport } from './parse-export.js'

let folder: string
let source: RevisionedStore
let target: RevisionedStore

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-transfer-'))
  source = await openEmbeddedStore({ path: join(folder, 'source.db') })
  target = await openEmbeddedStore({ path: join(folder, 'target.db') })
})

afterEach(async () => {
  await Promise.all([source.close(), target.close()])
  await rm(folder, { recursive: true, force: true })
})

type Work<T> = (call: <A>(method: 'GET' | 'PUT' | 'POST', url: string, body?: object) => Promise<A>) => Promise<T>

/** Runs a config center on a store for a moment. */
async function withCenter<T>(store: RevisionedStore, work: Work<T>): Promise<T> {
  const center = await assembleConfigCenter({ store, adminTokenFile: join(folder, 'admin.token') })
  try {
    return await work(async <A>(method: 'GET' | 'PUT' | 'POST', url: string, body?: object): Promise<A> => {
      const headers = { authorization: `Bearer ${center.adminToken ?? ''}` }
      const answer = await center.app.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body }) })
      if (answer.statusCode >= 300) throw new Error(`${method} ${url}: ${answer.statusCode} ${answer.payload}`)
      return answer.json()
    })
  } finally {
    await center.close()
  }
}

async function fill(writes: number): Promise<void> {
  await withCenter(source, async (call) => {
    for (const tenant of ['one', 'two']) await call('PUT', `/v1/tenants/${tenant}`, { base: null })
    for (let level = 0; level < writes; level += 1) {
      await call('PUT', `/v1/tenants/${level % 3 === 0 ? 'two' : 'one'}/documents/orders`, { level })
    }
  })
}

async function exported(): Promise<string> {
  const lines: string[] = []
  for await (const line of exportStore(source)) lines.push(line)
  return `${lines.join('\n')}\n`
}

interface History {
  readonly records: HistoryRecord[]
}

it('moves a store with its history, which rolls back under the new revisions', async () => {
  await fill(12)
  await importStore(target, parseExport(await exported()), { replace: false })
  const read: Work<History> = (call) => call('GET', '/v1/tenants/one/history?limit=50')
  const [before, after] = [await withCenter(source, read), await withCenter(target, read)]
  const changesOf = ({ records }: History): unknown[] => records.map(({ changes, at }) => [changes, at])
  expect(changesOf(after)).toEqual(changesOf(before))
  await withCenter(target, async (call) => {
    await call('PUT', '/v1/tenants/one/documents/orders', { level: 99 })
    const { records } = await call<History>('GET', '/v1/tenants/one/history?limit=50')
    expect(records[0]?.changes).toMatchObject([{ after: { level: 99 } }])
    const toRevision = after.records[2]?.storeRevision
    await call('POST', '/v1/tenants/one/rollback', { toRevision })
    expect(await call('GET', '/v1/tenants/one/documents/orders')).toMatchObject({ data: { level: 8 } })
  })
})

it('keeps refusing what the source had forgotten', async () => {
  await fill(12)
  const limits = { maxRecords: 3, maxAgeMs: 86_400_000 }
  await pruneHistory({ store: source, limits, now: Date.now(), signal: AbortSignal.timeout(5_000) })
  await importStore(target, parseExport(await exported()), { replace: false })
  await withCenter(target, async (call) => {
    const diff = (revision: string): Promise<unknown> => call('GET', `/v1/tenants/one/diff?fromRevision=${revision}`)
    await expect(diff('0')).rejects.toThrow('HISTORY_FORGOTTEN')
    const { records } = await call<History>('GET', '/v1/tenants/one/history?limit=50')
    expect(records).toHaveLength(3)
    await diff(records.at(-1)?.storeRevision ?? '')
  })
})

it('leaves out what belongs to a lease, and says so', async () => {
  await fill(2)
  const { leaseId } = await source.grantLease(60_000)
  const mutations = [{ kind: 'put', key: 'cc/entry/one/orders/i1', value: '{}', leaseId }] as const
  await source.transact({ compares: [], mutations })
  const footer = (await exported()).trimEnd().split('\n').at(-1) ?? ''
  expect(JSON.parse(footer)).toMatchObject({ leasedKeysLeftOut: 1 })
  expect(await exported()).not.toContain('orders/i1')
})

it('refuses a store that holds something, unless it may empty it', async () => {
  await fill(2)
  await target.transact({ compares: [], mutations: [{ kind: 'put', key: 'cc/other', value: '1' }] })
  const parsed = parseExport(await exported())
  await expect(importStore(target, parsed, { replace: false })).rejects.toMatchObject({ code: 'STORE_NOT_EMPTY' })
  expect((await target.range({ select: { prefix: '' } })).entries).toHaveLength(1)
  await importStore(target, parsed, { replace: true })
  expect((await target.range({ select: { key: 'cc/other' } })).entries).toEqual([])
})

it('refuses an export that was cut off or changed before it writes anything', async () => {
  await fill(4)
  const text = await exported()
  const lines = text.trimEnd().split('\n')
  const broken = [
    '',
    'no json',
    lines.slice(0, -1).join('\n'),
    lines.toSpliced(3, 1).join('\n'),
    text.replace('"level":2', '"level":3').replace('\\"level\\":2', '\\"level\\":3'),
  ]
  for (const one of broken) {
    expect(() => parseExport(one)).toThrow(expect.objectContaining({ code: 'EXPORT_DAMAGED' }))
  }
})
