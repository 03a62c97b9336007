import { describe, expect, it } from 'vitest'
import { differingFields, isRealDifference, kindOfDifference, withOther } from './difference.js'
import { inherited, node, topology } from './topology.test-support.js'

describe('the difference between two environments', () => {
  it('tells which fields of two copies differ', () => {
    const left = node('orders', { version: 'v2', owner: 'feature-x' })
    const right = node('orders', { version: 'v1', owner: 'integration' })
    expect(differingFields(left, right)).toEqual([
      { field: 'owner', left: 'feature-x', right: 'integration' },
      { field: 'version', left: 'v2', right: 'v1' },
    ])
  })

  it('does not count a copy that one owns and the other inherits: it is the same copy', () => {
    const left = inherited('web')
    const right = node('web', { owner: 'integration' })
    expect(isRealDifference({ service: 'web', left, right })).toBe(false)
    expect(isRealDifference({ service: 'web', left, right: { ...right, version: 'v2' } })).toBe(true)
    expect(isRealDifference({ service: 'web', left, right: null })).toBe(true)
  })

  it('counts a mask', () => {
    const masked = node('web', { state: 'masked', owner: 'feature-x' })
    expect(isRealDifference({ service: 'web', left: masked, right: node('web', { owner: 'integration' }) })).toBe(true)
  })

  it('draws what only the other one has', () => {
    const only = { service: 'new', left: null, right: node('new', { owner: 'feature-y' }) }
    const shown = withOther(topology([node('orders')], []), { left: 'feature-x', right: 'feature-y', services: [only] })
    expect(shown.nodes.map(({ service }) => service)).toEqual(['orders', 'new'])
    expect(kindOfDifference(only)).toBe('removed')
  })
})
