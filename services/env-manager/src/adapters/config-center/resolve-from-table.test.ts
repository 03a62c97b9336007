import type { Resolution } from '@tributary/sdk'
import { describe, expect, it } from 'vitest'
import { resolveFromTable } from './resolve-from-table.js'

const endpoint = (port: number, protocol: 'http' | 'grpc' = 'http') => ({
  name: protocol,
  protocol,
  host: '127.0.0.1',
  port,
})
const table: Readonly<Record<string, Readonly<Record<string, Partial<Resolution>>>>> = {
  'feature-x': {
    orders: { state: 'own', owner: 'feature-x', endpoints: [endpoint(9, 'grpc'), endpoint(1), endpoint(2)] },
    mail: { state: 'masked', owner: 'feature-x', endpoints: [] },
  },
}

function resolution(service: string, tenant: string): Resolution {
  const found = table[tenant]?.[service] ?? { state: 'missing' as const, owner: null, endpoints: [] }
  return {
    service,
    tenant: table[tenant] === undefined ? 'integration' : tenant,
    owner: null,
    state: 'missing',
    endpoints: [],
    reason: '',
    ...found,
  }
}

const answers = resolveFromTable({
  resolve: (service, options) => resolution(service, options?.tenant ?? 'integration'),
  services: (options) => ['orders', 'mail', 'nobody'].map((service) => resolution(service, options?.tenant ?? 'none')),
})

describe('resolveFromTable', () => {
  it('lets the HTTP endpoints of a service take turns', () => {
    const ports = [1, 2, 3, 4].map(() => answers.resolve('orders', 'feature-x')?.endpoint?.port)
    expect([...ports].sort()).toEqual([1, 1, 2, 2])
  })

  it('knows masked services, and none of an environment that the table has not', () => {
    expect(answers.resolve('mail', 'feature-x')).toEqual({ state: 'masked', owner: 'feature-x', endpoint: undefined })
    expect(answers.resolve('nobody', 'feature-x')).toBeUndefined()
    expect(answers.resolve('orders', 'feature-new')).toBeUndefined()
    expect(answers.listServices('feature-x').map(({ service }) => service)).toEqual(['orders', 'mail'])
  })
})
