import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { codeOf, detailsOf, TestCenter } from './test-center.test-support.js'

let center: TestCenter

beforeAll(async () => {
  center = await TestCenter.start()
  await center.ok('PUT', '/v1/tenants/integration', {})
})

afterAll(() => center.close())

const change = { op: 'apply-document', tenant: 'integration', service: 'orders' }

describe('a bad request answers 400 with the field, its type and the rule', () => {
  it.each([
    ['PUT', '/v1/tenants/x', { base: 4 }, 'body', '/base', 'integer', /^must be string .* or null$/],
    ['PUT', '/v1/tenants/x', { basis: 'a' }, 'body', '/basis', 'string', 'is not a known field'],
    ['PUT', '/v1/tenants/x', { stage: 'prod' }, 'body', '/stage', 'string', /^must be one of development, /],
    ['PUT', '/v1/tenants/x', [], 'body', '', 'array', 'must be object'],
    ['PUT', '/v1/tenants/x', { labels: { a: 1 } }, 'body', '/labels/a', 'integer', 'must be string'],
    ['PUT', '/v1/tenants/Not_A_Label', {}, 'params', '/tenant', 'string', /^must match/],
    ['PUT', `/v1/tenants/${'a'.repeat(41)}`, {}, 'params', '/tenant', 'string', /^must/],
    ['PUT', '/v1/tenants/x?expectedRevision=abc', {}, 'querystring', '/expectedRevision', 'string', /^must match/],
    ['PUT', '/v1/tenants/x?waitMs=60001', {}, 'querystring', '/waitMs', 'integer', /^must be <= 60000/],
    ['PUT', '/v1/tenants/x?expected=1', {}, 'querystring', '/expected', 'string', 'is not a known field'],
    ['PUT', '/v1/tenants/integration/entries/*', { endpoints: [] }, 'params', '/service', 'string', /^must match/],
    ['PUT', '/v1/tenants/integration/entries/a', {}, 'body', '/endpoints', 'absent', 'is required'],
    [
      'PUT',
      '/v1/tenants/integration/entries/a',
      { endpoints: [{ name: 'a', protocol: 'udp', host: 'h', port: 1 }] },
      'body',
      '/endpoints/0/protocol',
      'string',
      'must be "http" or "https" or "grpc" or "tcp"',
    ],
    [
      'PUT',
      '/v1/tenants/integration/entries/a',
      { endpoints: [{ name: 'a', protocol: 'http', host: 'h', port: '1' }] },
      'body',
      '/endpoints/0/port',
      'string',
      'must be integer',
    ],
    ['PUT', '/v1/tenants/integration/documents/a', null, 'body', '', 'null', 'must be object'],
    ['POST', '/v1/transactions', { changes: [] }, 'body', '/changes', 'array', /^must not have fewer than 1/],
    [
      'POST',
      '/v1/transactions',
      { changes: [{ ...change, data: [] }] },
      'body',
      '/changes/0/data',
      'array',
      'must be object',
    ],
    [
      'POST',
      '/v1/transactions',
      { changes: [{ ...change, data: {}, extra: 1 }] },
      'body',
      '/changes/0/extra',
      'integer',
      'is not a known field',
    ],
    [
      'POST',
      '/v1/transactions',
      { changes: [{ ...change, op: 'drop' }] },
      'body',
      '/changes/0/op',
      'string',
      /^must be one of apply-tenant, /,
    ],
    ['POST', '/v1/tenants/integration/rollback', { toRevision: 5 }, 'body', '/toRevision', 'integer', 'must be string'],
    ['GET', '/v1/tenants/integration/history?limit=0', undefined, 'querystring', '/limit', 'integer', 'must be >= 1'],
    ['GET', '/v1/tenants/integration/explain', undefined, 'querystring', '/service', 'absent', 'is required'],
    [
      'PUT',
      '/v1/tenants/integration/entries/a/instances/i',
      { spec: { endpoints: [] }, ttlSeconds: 1 },
      'body',
      '/ttlSeconds',
      'integer',
      'must be >= 2',
    ],
  ] as const)('%s %s %j', async (...row) => {
    const [method, url, body, part, field, type, rule] = row
    const answer = await center.call(method, url, { body: body === null ? 'null' : body })
    expect([answer.status, codeOf(answer)]).toEqual([400, 'INVALID_REQUEST'])
    const details = detailsOf(answer) as { in: string; violations: { field: string; type: string; rule: string }[] }
    const violation = details.violations.find((item) => item.field === field)
    expect([details.in, violation?.type]).toEqual([part, type])
    expect(violation?.rule).toMatch(rule)
  })

  it('stores nothing of a refused request', async () => {
    const before = await center.ok<{ storeRevision: string }>('GET', '/v1/tenants')
    await center.call('PUT', '/v1/tenants/x', { body: { stage: 'prod' } })
    expect(await center.ok('GET', '/v1/tenants')).toEqual(before)
  })

  it.each([
    ['{"a":', 400, 'INVALID_REQUEST'],
    ['', 400, 'INVALID_REQUEST'],
    [`{"a":"${'x'.repeat(1024 * 1024)}"}`, 400, 'BODY_TOO_LARGE'],
    [`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 400, 'DOCUMENT_TOO_LARGE'],
    [JSON.stringify({ a: 'x'.repeat(300_000) }), 400, 'DOCUMENT_TOO_LARGE'],
  ])('refuses a body that is not usable (%#)', async (body, status, code) => {
    const answer = await center.call('PUT', '/v1/tenants/integration/documents/a', { body })
    expect([answer.status, codeOf(answer)]).toEqual([status, code])
  })

  it('refuses a body that is neither JSON nor YAML by its type', async () => {
    const options = { body: 'a,1', headers: { 'content-type': 'text/csv' } }
    const answer = await center.call('PUT', '/v1/tenants/integration/documents/a', options)
    expect([answer.status, codeOf(answer)]).toEqual([400, 'UNSUPPORTED_MEDIA_TYPE'])
  })

  it('asks for one way of comparing', async () => {
    for (const query of ['', '?toRevision=1', '?fromRevision=1&against=integration']) {
      const answer = await center.call('GET', `/v1/tenants/integration/diff${query}`)
      expect([answer.status, codeOf(answer)]).toEqual([400, 'INVALID_REQUEST'])
    }
  })

  it('answers 404 for what does not exist, without a token too, and never repeats a query', async () => {
    const answer = await center.call('GET', '/v1/nothing?token=secret', { token: null })
    expect([answer.status, codeOf(answer)]).toEqual([404, 'ROUTE_NOT_FOUND'])
    expect(JSON.stringify(answer.body)).not.toContain('secret')
  })
})
