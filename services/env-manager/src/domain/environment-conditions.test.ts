import { describe, expect, it } from 'vitest'
import { healthConditions } from './environment-conditions.js'
import { newEnvironmentRecord, wantService, type EnvironmentRecord, type ServiceRecord } from './environment-record.js'

const COMMIT = 'a'.repeat(40)
const identity = { name: 'feature-x', branch: 'feature/x', stage: 'development', generation: 1 } as const
const deployed = { commitSha: COMMIT, version: 'v1.0-1-aaaaaaa', workloadId: 'w', endpoints: [] }

const service = (name: string, more: Partial<ServiceRecord> = {}): ServiceRecord => {
  const definition = { apiVersion: 'tributary/v1', kind: 'Service', name } as const
  const wanted = { name, repository: 'shop', directory: name, wantedCommit: COMMIT, definition }
  return { ...wantService(undefined, wanted), deployed, health: 'healthy', ...more }
}
const failed = (message: string): Partial<ServiceRecord> => ({
  failure: { commitSha: COMMIT, attempts: 1, final: false, message },
})
const readyOf = (...services: readonly ServiceRecord[]): string | undefined => {
  const record: EnvironmentRecord = {
    ...newEnvironmentRecord({ ...identity, heads: { shop: COMMIT }, now: 0 }),
    services: Object.fromEntries(services.map((one) => [one.name, one])),
  }
  return healthConditions(record, { now: 0, generation: 1 }).find(({ type }) => type === 'Ready')?.message
}

describe('the message of Ready', () => {
  it('names each service that is not ready once', () => {
    const message = readyOf(
      service('orders', failed('orders in feature-x did not become healthy within 60 s: exited with 1')),
      service('payments', failed('could not start payments: there is no program serve')),
      service('stock', { health: 'unhealthy', healthMessage: 'exited with 3' }),
      service('web', { deployed: null }),
      service('well'),
    )
    expect(message?.split('\n')).toEqual([
      'orders in feature-x did not become healthy within 60 s: exited with 1',
      'could not start payments: there is no program serve',
      'stock: exited with 3',
      'web: no copy runs yet',
    ])
  })

  it('says what it means that all are, and when there are none', () => {
    expect(readyOf(service('orders'))).toBe('every own service serves the wanted commit')
    expect(readyOf()).toBe('it has no service of its own')
  })
})
