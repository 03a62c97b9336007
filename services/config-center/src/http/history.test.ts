import type { Difference, HistoryRecord, WriteResult } from '@tributary/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codeOf, TestCenter } from './test-center.test-support.js'

const DOCUMENT = '/v1/tenants/feature-x/documents/orders'
const ENTRY = { endpoints: [{ name: 'http', protocol: 'http', host: '127.0.0.1', port: 8080 }] }

let center: TestCenter

beforeEach(async () => {
  center = await TestCenter.start()
  await center.ok('PUT', '/v1/tenants/integration', {})
  await center.ok('PUT', '/v1/tenants/feature-x', {})
})

afterEach(() => center.close())

async function history(query = ''): Promise<HistoryRecord[]> {
  return (await center.ok<{ records: HistoryRecord[] }>('GET', `/v1/tenants/feature-x/history${query}`)).records
}

async function write(body: unknown, query = ''): Promise<string> {
  return (await center.ok<WriteResult>('PUT', `${DOCUMENT}${query}`, body)).storeRevision
}

describe('history', () => {
  it('says who changed what, when, why and from which run', async () => {
    const token = await center.token('deployer')
    const url = `${DOCUMENT}?reason=more%20pages&runId=run-1`
    const written = await center.call<WriteResult>('PUT', url, { token, body: { size: 20 } })
    const [record] = await history()
    expect(record).toEqual({
      storeRevision: written.body.storeRevision,
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      actor: 'a deployer (deployer)',
      reason: 'more pages',
      runId: 'run-1',
      changes: [{ kind: 'document', tenant: 'feature-x', name: 'orders', before: null, after: { size: 20 } }],
    })
  })

  it('pages through every record once, newest first, whatever happens in other tenants meanwhile', async () => {
    const revisions: string[] = []
    for (let index = 0; index < 150; index += 1) {
      revisions.unshift(await write({ index }))
      if (index % 10 === 0) await center.ok('PUT', '/v1/tenants/integration/documents/orders', { index })
    }
    const seen: string[] = []
    for (let page = await history('?limit=40'); page.length > 0;) {
      seen.push(...page.map(({ storeRevision }) => storeRevision))
      page = await history(`?limit=40&before=${seen.at(-1) ?? ''}`)
    }
    expect(seen.slice(0, 150)).toEqual(revisions)
    expect(seen).toHaveLength(151)
    expect(await history('?before=0')).toEqual([])
  })

  it('can be asked for one service', async () => {
    await write({ a: 1 })
    await center.ok('PUT', '/v1/tenants/feature-x/entries/stock', ENTRY)
    await center.ok('PUT', '/v1/tenants/feature-x/entries/stock/instances/i1', { spec: ENTRY })
    const names = (await history('?service=stock')).flatMap(({ changes }) => changes.map(({ name }) => name))
    expect(names).toEqual(['stock/i1', 'stock'])
  })

  it('outlives the tenant', async () => {
    await write({ a: 1 })
    await center.ok('DELETE', '/v1/tenants/feature-x')
    const [record] = await history()
    expect(record?.changes.map(({ kind, after }) => [kind, after])).toEqual([
      ['tenant', null],
      ['document', null],
    ])
  })
})

describe('diff', () => {
  it('compares two revisions, also after the store was compacted past them', async () => {
    const first = await write({ size: 20, db: { host: 'a' } })
    const second = await write({ size: 20, db: { host: 'b' } })
    await center.ok('PUT', '/v1/tenants/feature-x/entries/orders', ENTRY)
    const now = await write({ size: 30 })
    await center.store.compact(BigInt(now))
    const between = await center.ok<{ differences: Difference[] }>(
      'GET',
      `/v1/tenants/feature-x/diff?fromRevision=${first}&toRevision=${second}`,
    )
    expect(between.differences).toEqual([
      { kind: 'document', name: 'orders', path: '/db/host', before: 'a', after: 'b' },
    ])
    const since = await center.ok<{ differences: Difference[] }>(
      'GET',
      `/v1/tenants/feature-x/diff?fromRevision=${first}`,
    )
    expect(since.differences.map(({ kind, path }) => [kind, path])).toEqual([
      ['entry', undefined],
      ['document', '/db'],
      ['document', '/size'],
    ])
  })

  it('compares what two tenants see', async () => {
    await center.ok('PUT', '/v1/tenants/integration/documents/orders', { size: 20 })
    await write({ size: 30 })
    expect(await center.ok('GET', '/v1/tenants/feature-x/diff?against=integration')).toMatchObject({
      differences: [{ kind: 'config', name: 'orders', path: '/size', before: 20, after: 30 }],
    })
  })

  it('refuses a revision that is not there yet', async () => {
    const answer = await center.call('GET', '/v1/tenants/feature-x/diff?fromRevision=99999')
    expect([answer.status, codeOf(answer)]).toEqual([422, 'REVISION_IN_FUTURE'])
  })
})

describe('rollback', () => {
  it('brings documents back as a new write that can be rolled back itself', async () => {
    const good = await write({ size: 20 })
    const bad = await write({ size: -1 })
    const back = await center.ok<WriteResult>('POST', '/v1/tenants/feature-x/rollback', {
      toRevision: good,
      reason: 'bad size',
    })
    expect(BigInt(back.storeRevision)).toBeGreaterThan(BigInt(bad))
    expect(await center.ok('GET', DOCUMENT)).toMatchObject({ data: { size: 20 } })
    expect((await history())[0]).toMatchObject({ storeRevision: back.storeRevision, reason: 'bad size' })
    await center.ok('POST', '/v1/tenants/feature-x/rollback', { toRevision: bad })
    expect(await center.ok('GET', DOCUMENT)).toMatchObject({ data: { size: -1 } })
  })

  it('removes what did not exist then, and leaves entries alone unless they are asked for', async () => {
    const [created] = await history()
    const toRevision = created?.storeRevision ?? ''
    await write({ size: 20 })
    await center.ok('PUT', '/v1/tenants/feature-x/entries/orders', ENTRY)
    await center.ok('PUT', '/v1/tenants/feature-x/entries/orders/instances/i1', { spec: ENTRY })
    await center.ok('POST', '/v1/tenants/feature-x/rollback', { toRevision })
    expect(await center.ok('GET', '/v1/tenants/feature-x/documents')).toMatchObject({ documents: [] })
    expect(await center.ok('GET', '/v1/tenants/feature-x/entries')).toMatchObject({ entries: [{ service: 'orders' }] })
    await center.ok('POST', '/v1/tenants/feature-x/rollback', { toRevision, scope: 'entries' })
    expect(await center.ok('GET', '/v1/tenants/feature-x/entries/orders')).toMatchObject({ instances: ['i1'] })
  })

  it('changes nothing when the state is that of the revision already', async () => {
    const revision = await write({ size: 20 })
    const again = await center.ok<WriteResult>('POST', '/v1/tenants/feature-x/rollback', { toRevision: revision })
    expect(again).toEqual({ storeRevision: revision, changed: false })
  })

  it.each([
    ['1', 422, 'TENANT_ABSENT_AT_REVISION'],
    ['99999', 422, 'REVISION_IN_FUTURE'],
  ])('refuses revision %s', async (toRevision, status, code) => {
    await write({ size: 20 })
    const answer = await center.call('POST', '/v1/tenants/feature-x/rollback', { body: { toRevision } })
    expect([answer.status, codeOf(answer)]).toEqual([status, code])
    expect(await center.ok('GET', DOCUMENT)).toMatchObject({ data: { size: 20 } })
  })
})

describe('explain', () => {
  it('tells why, for a service and for a place of its document', async () => {
    await center.ok('PUT', '/v1/tenants/integration/entries/orders', ENTRY)
    await center.ok('PUT', '/v1/tenants/integration/documents/*', { log: 'info' })
    await write({ log: 'debug' })
    expect(await center.ok('GET', '/v1/tenants/feature-x/explain?service=orders')).toMatchObject({
      result: { state: 'inherited', owner: 'integration' },
      summary: 'feature-x sees orders of integration, because feature-x has no entry.',
      layers: [{ tenant: 'integration', source: 'entry', effect: 'effective', actor: 'bootstrap (admin)' }],
    })
    expect(await center.ok('GET', '/v1/tenants/feature-x/explain?service=orders&path=/log')).toMatchObject({
      result: 'debug',
      layers: [
        { tenant: 'feature-x', source: 'orders', effect: 'effective' },
        { tenant: 'integration', source: '*', effect: 'shadowed', shadowedBy: 'feature-x/orders' },
      ],
    })
    const answer = await center.call('GET', '/v1/tenants/feature-x/explain?service=orders&path=log')
    expect([answer.status, codeOf(answer)]).toEqual([400, 'INVALID_REQUEST'])
  })
})
