import type { Condition } from '@tributary/contract'
import { describe, expect, it } from 'vitest'
import { troubles } from './format.js'

const condition = (type: string, message: string, more: Partial<Condition> = {}): Condition => ({
  type,
  status: 'False',
  reason: 'R',
  message,
  observedGeneration: 1,
  lastTransitionAt: '2026-01-02T11:58:00.000Z',
  ...more,
})

describe('troubles', () => {
  const orders = 'orders in feature-x does not come up: exited with 1. Its last lines:\nfatal: no database'

  it('says once what several conditions say', () => {
    const conditions = [
      condition('Ready', `${orders}\nstock: exited with 3`),
      condition('Reconciled', orders),
      condition('ServiceHealthy', orders, { service: 'orders' }),
      condition('ServiceHealthy', 'exited with 3', { service: 'stock' }),
    ]
    expect(troubles(conditions)).toEqual([`${orders}\nstock: exited with 3`])
  })

  it('names the service of a message that does not, and leaves out what holds', () => {
    const conditions = [
      condition('ContextPropagated', 'orders -> stock: lost', { status: 'True' }),
      condition('DefinitionValid', 'service.yaml:3: unknown field', { service: 'orders' }),
      condition('Ready', ''),
    ]
    expect(troubles(conditions)).toEqual(['orders: service.yaml:3: unknown field'])
  })

  it('keeps a message that is a part of another one’s line', () => {
    const conditions = [condition('Reconciled', 'exited with 12'), condition('Routed', 'exited with 1')]
    expect(troubles(conditions)).toEqual(['exited with 12', 'exited with 1'])
  })
})
