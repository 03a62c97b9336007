import type { ConfigSchema, HistoryRecord, SchemaViolation, WriteImpact, WriteResult } from '@tributary/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codeOf, detailsOf, TestCenter } from './test-center.test-support.js'

let center: TestCenter

const spec = { endpoints: [{ name: 'http', protocol: 'http', host: 'h', port: 80 }] }
const pageSchema = (minimum: number) => ({
  type: 'object',
  required: ['pageSize'],
  properties: { pageSize: { type: 'integer', minimum } },
})

beforeEach(async () => {
  center = await TestCenter.start()
  await center.ok('PUT', '/v1/tenants/integration', { base: null })
  await center.ok('PUT', '/v1/tenants/feature-x', {})
  await center.ok('PUT', '/v1/tenants/integration/documents/orders', { pageSize: 10 })
  await center.ok('PUT', '/v1/tenants/integration/entries/orders', spec)
  await center.ok('PUT', '/v1/tenants/integration/schemas/orders', pageSchema(1))
})

afterEach(async () => {
  await center.close()
})

const putDocument = (tenant: string, body: unknown, query = '') =>
  center.call<WriteResult>('PUT', `/v1/tenants/${tenant}/documents/orders${query}`, { body })

describe('the schema of a service', () => {
  it('is read back for every tenant that sees the copy, with its owner', async () => {
    const seen = await center.ok<ConfigSchema>('GET', '/v1/tenants/feature-x/schemas/orders')
    expect(seen).toMatchObject({ tenant: 'feature-x', owner: { tenant: 'integration' }, schema: pageSchema(1) })
    const none = await center.call('GET', '/v1/tenants/feature-x/schemas/stock')
    expect([none.status, codeOf(none)]).toEqual([404, 'SCHEMA_NOT_FOUND'])
    const { schemas } = await center.ok<{ schemas: ConfigSchema[] }>('GET', '/v1/tenants/feature-x/schemas')
    expect(schemas).toEqual([])
  })

  it('refuses a write after which a view breaks it, with path, rule and type, and stores nothing', async () => {
    const answer = await putDocument('feature-x', { pageSize: 'hunter2' })
    expect([answer.status, codeOf(answer)]).toEqual([422, 'SCHEMA_VIOLATION'])
    expect(detailsOf(answer).violations).toEqual([
      {
        tenant: 'feature-x',
        service: 'orders',
        schemaOwner: 'integration',
        path: '/pageSize',
        keyword: 'type',
        rule: 'must be integer',
        type: 'string',
        setBy: 'feature-x/orders',
      },
    ])
    expect(JSON.stringify(answer.body)).not.toContain('hunter2')
    expect((await center.call('GET', '/v1/tenants/feature-x/documents/orders')).status).toBe(404)
  })

  it('looks at the resolved view, not at the document alone', async () => {
    expect((await putDocument('feature-x', { other: 1 })).status).toBe(200)
    const removed = await putDocument('feature-x', { pageSize: null })
    expect(detailsOf(removed).violations).toMatchObject([{ path: '/pageSize', keyword: 'required', type: 'absent' }])
    const wide = await center.call('PUT', '/v1/tenants/feature-x/documents/*', { body: { pageSize: 0 } })
    expect(detailsOf(wide).violations).toMatchObject([{ path: '/pageSize', keyword: 'minimum', setBy: 'feature-x/*' }])
  })

  it('lets a write pass with a warning when it says schema=warn', async () => {
    const answer = await putDocument('feature-x', { pageSize: 0 }, '?schema=warn')
    expect(answer.status).toBe(200)
    expect(answer.body.warnings).toMatchObject([{ tenant: 'feature-x', path: '/pageSize', keyword: 'minimum' }])
  })

  it('does not hold what was broken before against a write', async () => {
    await putDocument('feature-x', { pageSize: 0 }, '?schema=warn')
    const unrelated = await putDocument('feature-x', { pageSize: 0, colour: 'red' })
    expect([unrelated.status, unrelated.body.warnings]).toEqual([200, undefined])
  })

  it('warns of views of dependents by default, and refuses for them with schema=all', async () => {
    await center.ok('PUT', '/v1/tenants/feature-x/entries/orders', spec)
    await center.ok('PUT', '/v1/tenants/feature-x/schemas/orders', pageSchema(5))
    const refused = await putDocument('integration', { pageSize: 3 }, '?schema=all')
    expect(detailsOf(refused).violations).toMatchObject([{ tenant: 'feature-x', schemaOwner: 'feature-x' }])
    const warned = await putDocument('integration', { pageSize: 3 })
    expect(warned.status).toBe(200)
    expect(warned.body.warnings).toMatchObject([
      { tenant: 'feature-x', path: '/pageSize', setBy: 'integration/orders' },
    ])
  })

  it('is the one of the copy that answers: a feature’s own copy is checked by its own', async () => {
    await center.ok('PUT', '/v1/tenants/feature-x/entries/orders', spec)
    expect((await putDocument('feature-x', { pageSize: 'any' })).status).toBe(200)
    const back = await center.call('DELETE', '/v1/tenants/feature-x/entries/orders')
    expect([back.status, codeOf(back)]).toEqual([422, 'SCHEMA_VIOLATION'])
    const masked = await center.call('PUT', '/v1/tenants/feature-x/entries/orders/mask')
    expect(masked.status).toBe(200)
  })

  it('does not keep a tenant from being made over a base that breaks it, but from moving under one', async () => {
    await putDocument('integration', { pageSize: 0 }, '?schema=warn')
    expect((await center.call('PUT', '/v1/tenants/feature-y', { body: {} })).status).toBe(200)
    await center.ok('PUT', '/v1/tenants/island', { base: null })
    await center.ok('PUT', '/v1/tenants/island/documents/orders', { pageSize: -1 })
    await putDocument('integration', { pageSize: 7 })
    const moved = await center.call('PUT', '/v1/tenants/island', { body: { base: 'integration' } })
    expect([moved.status, codeOf(moved)]).toEqual([422, 'SCHEMA_VIOLATION'])
  })

  it('refuses a schema that the present config breaks, and one that is none', async () => {
    const strict = await center.call('PUT', '/v1/tenants/integration/schemas/orders', { body: pageSchema(50) })
    expect([strict.status, codeOf(strict)]).toEqual([422, 'SCHEMA_VIOLATION'])
    for (const body of [{ type: 'nonsense' }, { $ref: 'https://example.org/x' }, { $comment: 'x'.repeat(70_000) }]) {
      const answer = await center.call('PUT', '/v1/tenants/integration/schemas/orders', { body })
      expect([answer.status, codeOf(answer)]).toEqual([400, 'SCHEMA_INVALID'])
    }
    const kept = await center.ok<ConfigSchema>('GET', '/v1/tenants/integration/schemas/orders')
    expect(kept.schema).toEqual(pageSchema(1))
  })

  it('is recorded, rolled back with entries, and goes with its tenant', async () => {
    const { storeRevision } = await center.ok<WriteResult>(
      'PUT',
      '/v1/tenants/integration/schemas/orders',
      pageSchema(2),
    )
    const { records } = await center.ok<{ records: HistoryRecord[] }>('GET', '/v1/tenants/integration/history')
    expect(records[0]?.changes).toMatchObject([
      { kind: 'schema', name: 'orders', before: pageSchema(1), after: pageSchema(2) },
    ])
    const toRevision = String(BigInt(storeRevision) - 1n)
    await center.ok('POST', '/v1/tenants/integration/rollback', { toRevision, scope: 'entries' })
    const back = await center.ok<ConfigSchema>('GET', '/v1/tenants/integration/schemas/orders')
    expect(back.schema).toEqual(pageSchema(1))
    await center.ok('DELETE', '/v1/tenants/integration?dependents=reparent')
    await center.ok('PUT', '/v1/tenants/integration', { base: null })
    expect((await center.call('GET', '/v1/tenants/integration/schemas/orders')).status).toBe(404)
  })

  it('is part of an impact, which says whether the write would be refused', async () => {
    const changes = [{ op: 'apply-document', tenant: 'integration', service: 'orders', data: { pageSize: 0 } }]
    const impact = await center.ok<WriteImpact>('POST', '/v1/impact', { changes })
    expect(impact).toMatchObject({ refused: true, totals: { violations: 1, tenants: 2 } })
    // feature-x adds nothing to orders: its view is integration's.
    expect(impact.violations.map(({ tenant }: SchemaViolation) => tenant)).toEqual(['integration'])
    const lenient = await center.ok<WriteImpact>('POST', '/v1/impact?schema=warn', { changes })
    expect(lenient.refused).toBe(false)
  })

  it('never keeps a process from registering itself', async () => {
    await putDocument('feature-x', { pageSize: 0 }, '?schema=warn')
    const body = { spec, ttlSeconds: 15 }
    const answer = await center.call('PUT', '/v1/tenants/integration/entries/orders/instances/i-1', { body })
    expect(answer.status).toBe(200)
  })
})
