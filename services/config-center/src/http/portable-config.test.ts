import type { HistoryRecord, TenantConfig, WriteImpact, WriteResult } from '@tributary/contract'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codeOf, TestCenter, type Answer } from './test-center.test-support.js'
import { parseYamlBody, toYaml } from './yaml-body.js'

let center: TestCenter

beforeEach(async () => {
  center = await TestCenter.start()
  await center.ok('PUT', '/v1/tenants/integration', { base: null })
  await center.ok('PUT', '/v1/tenants/feature-x', {})
  await center.ok('PUT', '/v1/tenants/integration/documents/orders', { pageSize: 10, tags: ['b', 'a'] })
  await center.ok('PUT', '/v1/tenants/integration/documents/*', { currency: 'EUR', removed: null })
})

afterEach(async () => {
  await center.close()
})

const yaml = { 'content-type': 'application/yaml' }
const file = (documents: Record<string, Record<string, unknown>>): TenantConfig => ({
  apiVersion: 'tributary/v1',
  kind: 'TenantConfig',
  documents,
})

async function exported(tenant = 'integration'): Promise<string> {
  const headers = { authorization: `Bearer ${center.adminToken}` }
  const response = await center.center.app.inject({ method: 'GET', url: `/v1/tenants/${tenant}/export`, headers })
  expect(response.headers['content-type']).toContain('application/yaml')
  return response.payload
}

const importing = (body: unknown, query = '', headers = {}): Promise<Answer<WriteResult>> =>
  center.call<WriteResult>('PUT', `/v1/tenants/feature-x/import${query}`, { body, headers })

const documents = async (tenant: string) =>
  Object.fromEntries(
    (
      await center.ok<{ documents: { service: string; data: unknown }[] }>('GET', `/v1/tenants/${tenant}/documents`)
    ).documents.map(({ service, data }) => [service, data]),
  )

describe('exporting and importing config', () => {
  it('writes YAML in one order, which imported elsewhere gives the same documents', async () => {
    const text = await exported()
    expect(text).toBe(`apiVersion: tributary/v1
documents:
  "*":
    currency: EUR
    removed: null
  orders:
    pageSize: 10
    tags:
      - b
      - a
kind: TenantConfig
tenant: integration
`)
    expect((await importing(text, '', yaml)).status).toBe(200)
    expect(await documents('feature-x')).toEqual(await documents('integration'))
    expect((await importing(text, '', yaml)).body.changed).toBe(false)
  })

  it('is one write that history shows, and keeps what the file does not name unless it is to prune', async () => {
    await center.ok('PUT', '/v1/tenants/feature-x/documents/stock', { a: 1 })
    await importing(file({ orders: { pageSize: 5 }, '*': { currency: 'USD' } }))
    expect(Object.keys(await documents('feature-x'))).toEqual(['*', 'orders', 'stock'])
    const { records } = await center.ok<{ records: HistoryRecord[] }>('GET', '/v1/tenants/feature-x/history')
    expect(records[0]).toMatchObject({ reason: 'import', changes: [{ name: 'orders' }, { name: '*' }] })
    await importing(file({ orders: { pageSize: 5 } }), '?prune=true')
    expect(await documents('feature-x')).toEqual({ orders: { pageSize: 5 } })
  })

  it('is previewed without being done', async () => {
    await center.ok('PUT', '/v1/tenants/feature-x/documents/stock', { a: 1 })
    const body = file({ orders: { pageSize: 5 } })
    const impact = await center.ok<WriteImpact>('POST', '/v1/tenants/feature-x/import/preview?prune=true', body)
    expect(impact.tenants[0]?.documents.map(({ service }) => service)).toEqual(['orders', 'stock'])
    expect(Object.keys(await documents('feature-x'))).toEqual(['stock'])
  })

  it('is refused whole when it is too large for one write', async () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`s${index}`, { index }]))
    const answer = await importing(file(many))
    expect([answer.status, codeOf(answer)]).toEqual([400, 'TRANSACTION_TOO_LARGE'])
    expect(await documents('feature-x')).toEqual({})
  })

  it.each([
    ['is not YAML', 'documents: [unclosed'],
    ['has two documents', 'a: 1\n---\nb: 2\n'],
    ['repeats a key', 'kind: a\nkind: b\n'],
    ['has a number that JSON has not', 'documents: { a: { b: .nan } }'],
    ['has a tag', 'documents: !!js/function "x"'],
    ['would set a prototype', 'documents: { a: { __proto__: { x: 1 } } }'],
    ['grows without bound', `a: &a [${'x,'.repeat(50)}]\nb: &b [${'*a,'.repeat(50)}]\nc: [${'*b,'.repeat(60)}]`],
    ['has an unknown field', toYaml({ ...file({}), more: 1 })],
    ['has a document of an impossible name', toYaml(file({ 'Not A Name': {} }))],
    ['has a document that is no object', 'apiVersion: tributary/v1\nkind: TenantConfig\ndocuments: { a: 1 }'],
  ])('refuses a body that %s, and stores nothing', async (_, body) => {
    const answer = await importing(body, '', yaml)
    expect([answer.status, codeOf(answer)]).toEqual([400, 'INVALID_REQUEST'])
    expect(await documents('feature-x')).toEqual({})
  })

  it('needs the right to write, and a tenant', async () => {
    const token = await center.token('viewer')
    const denied = await center.call('PUT', '/v1/tenants/feature-x/import', { body: file({}), token })
    expect(denied.status).toBe(403)
    expect((await center.call('GET', '/v1/tenants/nowhere/export')).status).toBe(404)
  })
})

describe('YAML bodies', () => {
  it('give back every JSON value that was written', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!JSON.stringify(value).includes('__proto__'))
        expect(JSON.stringify(parseYamlBody(toYaml({ value })))).toBe(JSON.stringify({ value }, sorted))
      }),
    )
  })
})

/** Members in the order of their names, as YAML has them; and no -0, which JSON does not have. */
function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1)))
}
