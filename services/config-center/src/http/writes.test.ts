import type { ConfigDocument, ServiceEntry, Tenant, WriteResult } from '@tributary/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codeOf, detailsOf, TestCenter } from './test-center.test-support.js'

const ENTRY = { endpoints: [{ name: 'http', protocol: 'http', host: '127.0.0.1', port: 8080 }], version: 'v1' }

let center: TestCenter

beforeEach(async () => {
  center = await TestCenter.start()
  await center.ok('PUT', '/v1/tenants/integration', {})
  await center.ok('PUT', '/v1/tenants/feature-x', {})
})

afterEach(() => center.close())

describe('tenants', () => {
  it('are created, read, listed and deleted', async () => {
    await center.ok('PUT', '/v1/tenants/feature-y?reason=try', { base: 'feature-x', labels: { team: 'shop' } })
    const tenant = await center.ok<Tenant>('GET', '/v1/tenants/feature-y')
    expect(tenant).toMatchObject({
      base: 'feature-x',
      stage: 'development',
      chain: ['feature-y', 'feature-x', 'integration'],
      labels: { team: 'shop' },
    })
    const list = await center.ok<{ storeRevision: string; tenants: Tenant[] }>('GET', '/v1/tenants')
    expect(list.tenants.map(({ name }) => name)).toEqual(['feature-x', 'feature-y', 'integration'])
    expect(list.storeRevision).toBe(tenant.revision)
    expect(await center.call('DELETE', '/v1/tenants/feature-x')).toMatchObject({ status: 422 })
    await center.ok('DELETE', '/v1/tenants/feature-x?dependents=reparent')
    expect(await center.ok('GET', '/v1/tenants/feature-y')).toMatchObject({ base: 'integration' })
    expect(codeOf(await center.call('GET', '/v1/tenants/feature-x'))).toBe('TENANT_NOT_FOUND')
  })

  it.each([
    ['PUT', '/v1/tenants/feature-y', { base: 'nobody' }, 422, 'BASE_NOT_FOUND'],
    ['PUT', '/v1/tenants/integration', { base: 'feature-x' }, 422, 'INVALID_TENANT'],
    ['PUT', '/v1/tenants/nobody/entries/orders', ENTRY, 404, 'TENANT_NOT_FOUND'],
    ['PUT', '/v1/tenants/nobody/documents/orders', {}, 404, 'TENANT_NOT_FOUND'],
    ['DELETE', '/v1/tenants/nobody', undefined, 404, 'TENANT_NOT_FOUND'],
    ['GET', '/v1/tenants/feature-x/entries/orders', undefined, 404, 'ENTRY_NOT_FOUND'],
    ['GET', '/v1/tenants/feature-x/documents/*', undefined, 404, 'DOCUMENT_NOT_FOUND'],
    ['GET', '/v1/tenants/nobody/history', undefined, 404, 'TENANT_NOT_FOUND'],
    ['GET', '/v1/tenants/nobody/explain?service=orders', undefined, 404, 'TENANT_NOT_FOUND'],
  ] as const)('%s %s with %j answers %i %s', async (...row) => {
    const [method, url, body, status, code] = row
    const answer = await center.call(method, url, { body })
    expect([answer.status, codeOf(answer)]).toEqual([status, code])
  })

  it('answer 422 for a cycle, naming it', async () => {
    await center.ok('PUT', '/v1/tenants/feature-y', { base: 'feature-x' })
    const answer = await center.call('PUT', '/v1/tenants/feature-x', { body: { base: 'feature-y' } })
    expect(answer).toMatchObject({
      status: 422,
      body: { error: { code: 'TENANT_CYCLE', message: expect.stringContaining('feature-x > feature-y > feature-x') } },
    })
  })
})

describe('entries and documents', () => {
  it('are written, read, masked, patched and deleted', async () => {
    await center.ok('PUT', '/v1/tenants/integration/entries/orders', ENTRY)
    await center.ok('PUT', '/v1/tenants/feature-x/entries/orders/mask')
    expect(await center.ok<ServiceEntry>('GET', '/v1/tenants/feature-x/entries/orders')).toMatchObject({
      state: 'masked',
    })
    await center.ok('DELETE', '/v1/tenants/feature-x/entries/orders')
    expect(await center.ok('GET', '/v1/tenants/feature-x/entries')).toMatchObject({ entries: [] })
    await center.ok('PUT', '/v1/tenants/feature-x/documents/*', { a: 1 })
    const patch = { body: { a: null, b: { c: 2 } }, headers: { 'content-type': 'application/merge-patch+json' } }
    expect(await center.call('PATCH', '/v1/tenants/feature-x/documents/*', patch)).toMatchObject({ status: 200 })
    await center.ok('PATCH', '/v1/tenants/feature-x/documents/*', { b: { d: 3 } })
    const document = await center.ok<ConfigDocument>('GET', '/v1/tenants/feature-x/documents/*')
    expect(document.data).toEqual({ b: { c: 2, d: 3 } })
    expect(await center.ok('GET', '/v1/tenants/feature-x/documents')).toMatchObject({ documents: [document] })
    await center.ok('DELETE', '/v1/tenants/feature-x/documents/*')
    expect(await center.ok('GET', '/v1/tenants/feature-x/documents')).toMatchObject({ documents: [] })
  })

  it('take no new revision when nothing changes', async () => {
    const first = await center.ok<WriteResult>('PUT', '/v1/tenants/feature-x/entries/orders', ENTRY)
    const again = await center.ok<WriteResult>('PUT', '/v1/tenants/feature-x/entries/orders', ENTRY)
    expect(again).toEqual({ storeRevision: first.storeRevision, changed: false })
    const deleted = await center.ok<WriteResult>('DELETE', '/v1/tenants/feature-x/documents/orders')
    expect(deleted).toEqual({ storeRevision: first.storeRevision, changed: false })
  })

  it('answer 409 with the current state for a stale revision, and store nothing', async () => {
    const { storeRevision } = await center.ok<WriteResult>('PUT', '/v1/tenants/feature-x/documents/orders', { a: 1 })
    const url = '/v1/tenants/feature-x/documents/orders'
    const stale = await center.call('PUT', `${url}?expectedRevision=0`, { body: { a: 2 } })
    expect(stale.status).toBe(409)
    expect(codeOf(stale)).toBe('REVISION_CONFLICT')
    expect(detailsOf(stale)).toEqual({
      expectedRevision: '0',
      currentRevision: storeRevision,
      current: { tenant: 'feature-x', service: 'orders', data: { a: 1 }, revision: storeRevision },
    })
    expect(await center.ok<ConfigDocument>('GET', url)).toMatchObject({ data: { a: 1 } })
    await center.ok('PUT', `${url}?expectedRevision=${storeRevision}`, { a: 2 })
    expect(await center.ok<ConfigDocument>('GET', url)).toMatchObject({ data: { a: 2 } })
  })

  it('refuse members that would reach a prototype', async () => {
    for (const body of ['{"__proto__":{"a":1}}', '{"a":{"constructor":{"prototype":{"a":1}}}}']) {
      for (const type of ['application/json', 'application/merge-patch+json']) {
        const options = { body, headers: { 'content-type': type } }
        const answer = await center.call('PATCH', '/v1/tenants/feature-x/documents/orders', options)
        expect([answer.status, codeOf(answer)]).toEqual([400, 'INVALID_REQUEST'])
        expect(JSON.stringify(answer.body)).toContain('a member \\"__proto__\\"')
      }
    }
  })
})

describe('transactions', () => {
  it('happen at one store revision', async () => {
    const { storeRevision } = await center.ok<WriteResult>('POST', '/v1/transactions', {
      changes: [
        { op: 'apply-tenant', tenant: 'feature-y', spec: {} },
        { op: 'apply-entry', tenant: 'feature-y', service: 'orders', spec: ENTRY },
        { op: 'apply-document', tenant: 'feature-y', service: 'orders', data: { a: 1 } },
      ],
      note: { reason: 'deploy', runId: 'run-7' },
    })
    const tenant = await center.ok<Tenant>('GET', '/v1/tenants/feature-y')
    const entry = await center.ok<ServiceEntry>('GET', '/v1/tenants/feature-y/entries/orders')
    const document = await center.ok<ConfigDocument>('GET', '/v1/tenants/feature-y/documents/orders')
    expect([tenant.revision, entry.revision, document.revision]).toEqual([storeRevision, storeRevision, storeRevision])
  })

  it('happen whole or not at all', async () => {
    const answer = await center.call('POST', '/v1/transactions', {
      body: {
        changes: [
          { op: 'apply-document', tenant: 'feature-x', service: 'orders', data: { a: 1 } },
          { op: 'apply-document', tenant: 'nobody', service: 'orders', data: { a: 1 } },
        ],
      },
    })
    expect([answer.status, codeOf(answer)]).toEqual([404, 'TENANT_NOT_FOUND'])
    expect(await center.ok('GET', '/v1/tenants/feature-x/documents')).toMatchObject({ documents: [] })
  })

  it('say clearly when they are more than the store takes', async () => {
    const data = { a: 'x'.repeat(200_000) }
    const changes = ['a', 'b', 'c', 'd', 'e'].map((service) => ({
      op: 'apply-document',
      tenant: 'feature-x',
      service,
      data,
    }))
    const answer = await center.call('POST', '/v1/transactions', { body: { changes } })
    expect([answer.status, codeOf(answer)]).toEqual([400, 'TRANSACTION_TOO_LARGE'])
    expect(await center.ok('GET', '/v1/tenants/feature-x/documents')).toMatchObject({ documents: [] })
  })
})

describe('waitMs', () => {
  it('answers with how far subscribers have got', async () => {
    const result = await center.ok<WriteResult>('PUT', '/v1/tenants/feature-x/documents/orders?waitMs=50', { a: 1 })
    expect(result.convergence).toEqual({
      storeRevision: result.storeRevision,
      converged: true,
      affected: 0,
      laggards: [],
    })
  })
})
