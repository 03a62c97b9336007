import { describe, expect, it } from 'vitest'
import { Spaces } from './names.js'
import { parseResource } from './resource-ids.js'

const spaces = new Spaces('')

describe('parseResource', () => {
  it.each([
    ['namespace', 'feature-x', { kind: 'namespace', name: 'feature-x' }],
    ['release', 'feature-x/orders', { kind: 'release', namespace: 'feature-x', name: 'orders' }],
    ['networkpolicy', 'feature-x/a', { kind: 'object', namespace: 'feature-x', name: 'a' }],
  ])('finds a %s', (kind, id, address) => {
    expect(parseResource({ kind, id, environment: 'feature-x' }, spaces)).toMatchObject(address)
  })

  it.each([
    ['namespace', 'kube-system'],
    ['namespace', 'feature-x/orders'],
    ['secret', 'kube-system/admin'],
    ['secret', 'feature-x/../kube-system'],
    ['secret', 'feature-x/a/b'],
    ['secret', 'feature-x'],
    ['namespace', ''],
    ['node', 'feature-x/a'],
  ])('refuses %s %j of an environment to which it does not belong', (kind, id) => {
    expect(() => parseResource({ kind, id, environment: 'feature-x' }, spaces)).toThrow(
      expect.objectContaining({ code: 'PLATFORM_RESOURCE_FOREIGN' }),
    )
  })
})
