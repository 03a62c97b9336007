import type { Subscription } from '@tributary/contract'
import { describe, expect, it } from 'vitest'
import { byLag, isLate } from './lag.js'

const subscription = (instance: string, given: Partial<Subscription>): Subscription => ({
  subscriptionId: instance,
  tenant: 'integration',
  service: 'orders',
  instance,
  sentRevision: '9007199254740993',
  appliedRevision: '9007199254740993',
  error: null,
  connectedAt: '2026-01-01T00:00:00.000Z',
  ...given,
})

describe('who is behind', () => {
  it('is told exactly for revisions beyond what a number holds; those with an error come first', () => {
    const lagging = byLag([
      subscription('fine', {}),
      subscription('late', { appliedRevision: '9007199254740992' }),
      subscription('broken', { error: 'pageSize must be >= 1' }),
      subscription('ahead', { appliedRevision: '9007199254740994' }),
    ])
    expect(lagging.map(({ subscription: { instance } }) => instance)).toEqual(['broken', 'late', 'ahead', 'fine'])
    expect(lagging.map(({ behind }) => behind)).toEqual([0n, 1n, 0n, 0n])
    expect(lagging.map(isLate)).toEqual([true, true, false, false])
  })
})
