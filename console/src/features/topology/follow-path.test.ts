import { describe, expect, it } from 'vitest'
import { entriesOf, pathOf } from './follow-path.js'
import { call } from './topology.test-support.js'

describe('the way of a call', () => {
  const edges = [
    call('web', 'orders'),
    call('orders', 'payments'),
    call('payments', 'orders'),
    call('web', 'search', 4),
    call('search', 'payments', 4),
  ]

  it('is the shortest one, and prefers what was observed', () => {
    expect(pathOf(edges, 'web', 'payments')).toEqual([
      { from: null, to: 'web' },
      { from: 'web', to: 'search' },
      { from: 'search', to: 'payments' },
    ])
  })

  it('comes straight in from outside', () => {
    expect(pathOf(edges, null, 'orders')).toEqual([{ from: null, to: 'orders' }])
    expect(pathOf(edges, 'orders', 'orders')).toEqual([{ from: null, to: 'orders' }])
  })

  it('is not there when no call leads on, and ends in a circle', () => {
    expect(pathOf(edges, 'payments', 'web')).toBeUndefined()
  })

  it('begins at services that nobody calls', () => {
    expect(entriesOf(['web', 'orders', 'batch'], edges)).toEqual(['web', 'batch'])
  })
})
