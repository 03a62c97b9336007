import { describe, expect, it } from 'vitest'
import { demandOf } from './config-requests.js'

const demand = (method: string, path: string, body?: unknown): string => {
  const { permission, tenants } = demandOf({ method, path, body })
  return `${permission} [${tenants.join(' ')}]`
}

describe('what a request to the config center needs', () => {
  it.each([
    ['GET', '/v1/tenants/feature-x/documents', 'read []'],
    ['HEAD', '/v1/tenants', 'read []'],
    ['GET', '/v1/tenants/feature-x/stream', 'read []'],
    ['PUT', '/v1/tenants/feature-x/documents/orders', 'change-config [feature-x]'],
    ['DELETE', '/v1/tenants/integration', 'change-config [integration]'],
    ['POST', '/v1/tenants/feature-x/rollback', 'change-config [feature-x]'],
    ['PUT', '/v1/tenants/%69ntegration/documents/a', 'change-config [integration]'],
    ['PUT', '/v1/tenants/%ff/documents/a', 'change-config [%ff]'],
    ['POST', '/v1/impact', 'read []'],
    ['POST', '/v1/impact/anything', 'change-config []'],
    ['POST', '/v1/tenants/feature-x/import/preview', 'read []'],
    ['POST', '/v1/tenants/feature-x/gray-releases/orders/preview', 'read []'],
    ['POST', '/v1/tenants/feature-x/gray-releases/preview', 'change-config [feature-x]'],
    ['POST', '/v1/tenants/feature-x/gray-releases/orders/promote', 'change-config [feature-x]'],
    ['PUT', '/v1/tenants/feature-x/import', 'change-config [feature-x]'],
    ['POST', '/v1/something-new', 'change-config []'],
    ['POST', '/v1/subscriptions/abc/applied', 'change-config []'],
    ['GET', '/v2/tenants', 'change-config []'],
    ['GET', '/v1/tokens', 'manage-tokens []'],
    ['DELETE', '/v1/tokens/abc', 'manage-tokens []'],
    ['GET', '/v1/%74okens', 'manage-tokens []'],
  ])('%s %s: %s', (method, path, expected) => {
    expect(demand(method, path)).toBe(expected)
  })

  it('of a transaction is the sum of its changes', () => {
    const changes = [{ tenant: 'feature-x' }, { tenant: 'integration' }, { tenant: 'feature-x' }]
    expect(demand('POST', '/v1/transactions', { changes })).toBe('change-config [feature-x integration]')
  })

  it.each([
    undefined,
    'text',
    {},
    { changes: 'x' },
    { changes: [{ tenant: 'feature-x' }, { tenant: 7 }] },
    { changes: [null] },
  ])('of a transaction that cannot be read (%j) is that of what everybody shares', (body) => {
    expect(demand('POST', '/v1/transactions', body)).toBe('change-config []')
  })
})
