import type { Change, WriteImpact } from '@tributary/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codeOf, TestCenter, type Answer } from './test-center.test-support.js'

let center: TestCenter

beforeEach(async () => {
  center = await TestCenter.start()
  await center.ok('PUT', '/v1/tenants/integration', { base: null })
  for (const name of ['feature-w', 'feature-x']) await center.ok('PUT', `/v1/tenants/${name}`, {})
  await center.ok('PUT', '/v1/tenants/integration/entries/orders', spec('int'))
  await center.ok('PUT', '/v1/tenants/feature-x/entries/orders', spec('x'))
  await center.ok('PUT', '/v1/tenants/integration/documents/orders', { pageSize: 10, colour: 'red' })
  await center.ok('PUT', '/v1/tenants/feature-x/documents/orders', { pageSize: 5 })
})

afterEach(async () => {
  await center.close()
})

const spec = (host: string) => ({ endpoints: [{ name: 'http', protocol: 'http', host, port: 80 }] })

async function impactOf(...changes: Change[]): Promise<WriteImpact> {
  return center.ok<WriteImpact>('POST', '/v1/impact', { changes })
}

async function revision(): Promise<string> {
  return (await center.ok<{ storeRevision: string }>('GET', '/v1/tenants')).storeRevision
}

const patch = (data: Record<string, unknown>): Change => ({
  op: 'patch-document',
  tenant: 'integration',
  service: 'orders',
  patch: data,
})

describe('POST /v1/impact', () => {
  it('tells which views change and how, and which override keeps others as they are, and writes nothing', async () => {
    const before = await revision()
    const impact = await impactOf(patch({ pageSize: 20 }))
    expect(impact).toMatchObject({
      changed: true,
      refused: false,
      totals: { tenants: 2, documents: 2, services: 0, owners: 0, shadowed: 1, violations: 0, subscribers: 0 },
      shadowed: [
        { tenant: 'feature-x', kind: 'config', name: 'orders', path: '/pageSize', shadowedBy: 'feature-x/orders' },
      ],
    })
    expect(impact.tenants.map(({ tenant, written }) => [tenant, written])).toEqual([
      ['integration', true],
      ['feature-w', false],
    ])
    const paths = [{ path: '/pageSize', before: 10, after: 20 }]
    for (const { documents } of impact.tenants) expect(documents).toEqual([{ service: 'orders', paths, pathCount: 1 }])
    expect(await revision()).toBe(before)
  })

  it('tells a service whose owner changes', async () => {
    const impact = await impactOf({ op: 'delete-entry', tenant: 'feature-x', service: 'orders' })
    expect(impact.totals).toMatchObject({ tenants: 1, services: 1, owners: 1 })
    expect(impact.tenants[0]?.services[0]).toMatchObject({
      service: 'orders',
      ownerChanges: true,
      before: { owner: 'feature-x', state: 'own' },
      after: { owner: 'integration', state: 'inherited' },
    })
  })

  it('tells tenants that would come, go, or get another base', async () => {
    const created = await impactOf({ op: 'apply-tenant', tenant: 'feature-y', spec: { base: 'feature-x' } })
    expect(created.tenants[0]).toMatchObject({
      is: 'created',
      chain: { before: [], after: ['feature-y', 'feature-x', 'integration'] },
    })
    const deleted = await impactOf({ op: 'delete-tenant', tenant: 'feature-x' })
    expect(deleted.tenants[0]).toMatchObject({ is: 'deleted', tenant: 'feature-x', documentCount: 1 })
    const moved = await impactOf({ op: 'apply-tenant', tenant: 'feature-w', spec: { base: 'feature-x' } })
    expect(moved.tenants[0]).toMatchObject({ is: 'changed', services: [{ ownerChanges: true }] })
  })

  it('tries a rollback', async () => {
    const { storeRevision } = await center.ok<{ storeRevision: string }>(
      'PATCH',
      '/v1/tenants/integration/documents/orders',
      {
        colour: 'blue',
      },
    )
    const rollback = { tenant: 'integration', toRevision: String(BigInt(storeRevision) - 1n) }
    const impact = await center.ok<WriteImpact>('POST', '/v1/impact', { rollback })
    expect(impact.totals).toMatchObject({ tenants: 3, shadowed: 0 })
    expect(impact.tenants[0]?.documents[0]?.paths).toEqual([{ path: '/colour', before: 'blue', after: 'red' }])
  })

  it('says that nothing would change', async () => {
    expect(await impactOf(patch({ pageSize: 10 }))).toMatchObject({ changed: false, tenants: [], refused: false })
  })

  it('is bounded: lists are cut, totals count everything, large values are left out', async () => {
    for (let index = 0; index < 5; index += 1) await center.ok('PUT', `/v1/tenants/t${index}`, {})
    const big = 'x'.repeat(5_000)
    const impact = await center.ok<WriteImpact>('POST', '/v1/impact', { changes: [patch({ big })], maxTenants: 2 })
    expect(impact.tenants).toHaveLength(2)
    expect(impact.totals.tenants).toBe(8)
    expect(impact.tenants[0]?.documents[0]?.paths).toEqual([
      { path: '/big', before: null, after: null, large: true, absent: 'before' },
    ])
  })

  it('answers as the write would when it breaks a rule, and to whoever may read', async () => {
    const refused: Answer = await center.call('POST', '/v1/impact', {
      body: { changes: [{ ...patch({ a: 1 }), expectedRevision: '1' }] },
    })
    expect([refused.status, codeOf(refused)]).toEqual([409, 'REVISION_CONFLICT'])
    const neither = await center.call('POST', '/v1/impact', { body: {} })
    expect([neither.status, codeOf(neither)]).toEqual([400, 'INVALID_REQUEST'])
    const body = { changes: [patch({ a: 1 })] }
    expect((await center.call('POST', '/v1/impact', { body, token: await center.token('viewer') })).status).toBe(200)
    const tenant = await center.token('tenant', 'feature-x')
    expect((await center.call('POST', '/v1/impact', { body, token: tenant })).status).toBe(403)
  })
})
