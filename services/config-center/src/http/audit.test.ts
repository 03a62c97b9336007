import { ON_BEHALF_OF_HEADER, type ConfigAuditRecord, type CreatedToken } from '@tributary/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RefusalBook } from '../audit/refusal-book.js'
import { recordRefusals } from '../operations/record-refusals.js'
import { assembleConfigCenter } from '../start.js'
import { TestCenter } from './test-center.test-support.js'

let center: TestCenter

beforeEach(async () => {
  center = await TestCenter.start()
  await center.ok('PUT', '/v1/tenants/integration', { base: null })
  await center.ok('PUT', '/v1/tenants/feature-x', {})
})

afterEach(async () => {
  await center.close()
})

interface Page {
  readonly records: ConfigAuditRecord[]
  readonly nextBefore: string | null
}

const audit = (query = '') => center.ok<Page>('GET', `/v1/audit${query}`)

async function everything(limit: number): Promise<ConfigAuditRecord[]> {
  const records: ConfigAuditRecord[] = []
  for (let before = ''; ;) {
    const page = await audit(`?limit=${limit}${before}`)
    records.push(...page.records)
    if (page.nextBefore === null) return records
    before = `&before=${page.nextBefore}`
  }
}

describe('the audit log', () => {
  it('tells writes of all tenants, deleted ones too, in the order of their revisions, whatever the pages', async () => {
    for (let index = 0; index < 12; index += 1) {
      const tenant = index % 3 === 0 ? 'integration' : 'feature-x'
      await center.ok('PUT', `/v1/tenants/${tenant}/documents/orders`, { index })
    }
    const changes = ['integration', 'feature-x'].map((tenant) => ({ op: 'delete-document', tenant, service: 'orders' }))
    await center.ok('POST', '/v1/transactions', { changes, note: { reason: 'tidy up', runId: 'run-1' } })
    await center.ok('DELETE', '/v1/tenants/feature-x')
    const all = await everything(200)
    const revisions = all.map(({ storeRevision }) => BigInt(storeRevision))
    expect(revisions).toEqual(revisions.toSorted((left, right) => (left < right ? 1 : -1)))
    expect(all).toHaveLength(2 + 12 + 1 + 1 + 1)
    expect(all[0]).toMatchObject({ tenants: ['feature-x'], changes: [{ kind: 'tenant', did: 'deleted' }] })
    expect(all[1]).toMatchObject({
      kind: 'write',
      tenants: ['feature-x', 'integration'],
      reason: 'tidy up',
      runId: 'run-1',
      changeCount: 2,
    })
    for (const limit of [1, 2, 5]) expect(await everything(limit)).toEqual(all)
  })

  it('tells tokens that were made and revoked, by whom, and never their secret', async () => {
    const headers = { [ON_BEHALF_OF_HEADER]: 'jane' }
    const body = { name: 'ci', role: 'tenant', tenant: 'feature-x' }
    const { body: made } = await center.call<CreatedToken>('POST', '/v1/tokens', { body, headers })
    await center.call('DELETE', `/v1/tokens/${made.info.tokenId}`)
    await center.call('DELETE', `/v1/tokens/${made.info.tokenId}`)
    const { records } = await audit('?limit=3')
    const name = `${made.info.tokenId} ci (tenant)`
    expect(records[0]).toMatchObject({ kind: 'token', changes: [{ kind: 'token', name, did: 'deleted' }] })
    expect(records[1]).toMatchObject({
      kind: 'token',
      actor: 'bootstrap (admin)',
      onBehalfOf: 'jane',
      changes: [{ kind: 'token', tenant: 'feature-x', name, did: 'created' }],
    })
    expect(records[2]?.kind).toBe('write')
    // The secret may have underscores itself.
    const secret = made.token.slice(made.token.indexOf(made.info.tokenId) + made.info.tokenId.length + 1)
    expect(secret.length).toBeGreaterThan(20)
    expect(JSON.stringify(await everything(200))).not.toContain(secret)
    const first = (await everything(200)).at(-1)
    expect(first).toMatchObject({ kind: 'token', actor: 'config center (start)' })
  })

  it('tells refused attempts, counted, once the server has recorded them', async () => {
    const viewer = await center.token('viewer')
    const second = await assembleConfigCenter({ store: center.store })
    const ask = (headers: Record<string, string>) =>
      second.app.inject({ method: 'PUT', url: '/v1/tenants/feature-x', headers, payload: {} })
    for (let index = 0; index < 3; index += 1) await ask({ authorization: `Bearer ${viewer}` })
    await ask({})
    await second.close()
    const { records } = await audit('?limit=1')
    expect(records[0]).toMatchObject({ kind: 'refused', actor: 'config center', tenants: [] })
    const request = 'PUT /v1/tenants/:tenant'
    expect(records[0]?.refused).toMatchObject([
      { code: 'PERMISSION_DENIED', request, actor: 'a viewer (viewer)', tenant: 'feature-x', count: 3 },
      { code: 'UNAUTHENTICATED', request, actor: null, tenant: 'feature-x', count: 1 },
    ])
    const { records: found } = await audit('?actor=A%20VIEWER')
    expect(found.map(({ kind }) => kind)).toEqual(['refused'])
  })

  it('is filtered by tenant, actor and time', async () => {
    const ci = await center.token('deployer')
    await center.call('PUT', '/v1/tenants/integration/documents/a', { token: ci, body: { a: 1 } })
    await center.ok('PUT', '/v1/tenants/feature-x/documents/a', { a: 1 })
    const of = async (query: string) =>
      (await audit(query)).records.map(({ tenants, actor }) => `${tenants.join()} ${actor}`)
    expect(await of('?actor=deployer')).toEqual(['integration a deployer (deployer)'])
    expect((await of('?tenant=feature-x')).every((line) => line.startsWith('feature-x'))).toBe(true)
    expect(await of('?since=2999-01-01T00:00:00Z')).toEqual([])
    expect((await of('?since=2020-01-01T00:00:00Z')).length).toBeGreaterThan(4)
    expect((await center.call('GET', '/v1/audit?tenant=nowhere')).status).toBe(404)
    expect((await center.call('GET', '/v1/audit?since=yesterday')).status).toBe(400)
  })

  it('is for whoever may read, and for no tenant’s own token', async () => {
    const statusFor = async (token: string) => (await center.call('GET', '/v1/audit', { token })).status
    expect(await statusFor(await center.token('deployer'))).toBe(200)
    expect(await statusFor(await center.token('viewer'))).toBe(200)
    expect(await statusFor(await center.token('tenant', 'feature-x'))).toBe(403)
  })
})

describe('RefusalBook', () => {
  it('tells at most 100 kinds apart, and counts the rest', async () => {
    const book = new RefusalBook()
    const refusal = { code: 'UNAUTHENTICATED', request: 'GET /', actor: null, tenant: null, at: 0 }
    for (let index = 0; index < 150; index += 1) book.note({ ...refusal, address: `10.0.0.${index}` })
    book.note({ ...refusal, address: '10.0.0.7', at: 5_000 })
    await recordRefusals(center.center.context, book)
    const [record] = (await audit('?limit=1')).records
    expect([record?.refused?.length, record?.uncounted]).toEqual([100, 50])
    expect(record?.refused?.[0]).toMatchObject({ address: '10.0.0.7', count: 2, lastAt: '1970-01-01T00:00:05.000Z' })
    expect(book.isEmpty).toBe(true)
  })
})
