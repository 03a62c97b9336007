import { describe, expect, it } from 'vitest'
import { describeHeld, describeTermination, remainingCollections } from './stuck-namespace.js'

const namespace = {
  metadata: { name: 'feature-x' },
  status: {
    conditions: [
      { type: 'NamespaceDeletionDiscoveryFailure', status: 'False', message: 'All resources successfully discovered' },
      {
        type: 'NamespaceContentRemaining',
        status: 'True',
        message:
          'Some resources are remaining: configmaps. has 1 resource instances, widgets.example.com has 12 resource instances',
      },
      {
        type: 'NamespaceFinalizersRemaining',
        status: 'True',
        message: 'Some content in the namespace has finalizers remaining: example.com/backup in 1 resource instances',
      },
    ],
  },
}

describe('a namespace that does not go', () => {
  it('names the collections that are left', () => {
    expect(remainingCollections(namespace)).toEqual([
      { plural: 'configmaps', group: '' },
      { plural: 'widgets', group: 'example.com' },
    ])
    expect(remainingCollections({ metadata: { name: 'x' } })).toEqual([])
  })

  it('is described by its own conditions, without those that do not hold', () => {
    expect(describeTermination(namespace)).toMatch(/^Some resources are remaining.*finalizers remaining/)
    expect(describeTermination({ metadata: { name: 'x' } })).toBe('')
  })

  it('is described by what holds it, and who set that', () => {
    const resource = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps' }
    expect(
      describeHeld([{ resource, name: 'held', finalizers: ['example.com/backup'], holders: ['backup-operator'] }]),
    ).toBe('ConfigMap held is held by the finalizer example.com/backup, set by backup-operator')
  })
})
