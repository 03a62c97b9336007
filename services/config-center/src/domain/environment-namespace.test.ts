import { describe, expect, it } from 'vitest'
import { LABELS, namespaceSelector, tenantOfNamespace } from './environment-namespace.js'

const labels = { [LABELS.managedBy]: 'tributary', [LABELS.instance]: 'main', [LABELS.environment]: 'feature-x' }
const main = { instance: 'main', prefix: '' }

describe('tenantOfNamespace', () => {
  it('is the environment of the same name', () => {
    expect(tenantOfNamespace({ name: 'feature-x', labels: { ...labels, other: 'label' } }, main)).toBe('feature-x')
  })

  it('is the environment of the name after the prefix, and nobody without it', () => {
    const team = { instance: 'main', prefix: 'team-' }
    expect(tenantOfNamespace({ name: 'team-feature-x', labels }, team)).toBe('feature-x')
    expect(tenantOfNamespace({ name: 'feature-x', labels }, team)).toBeUndefined()
  })

  it.each([
    ['of another instance', 'feature-x', { ...labels, [LABELS.instance]: 'other' }],
    ['of another owner', 'feature-x', { ...labels, [LABELS.managedBy]: 'Helm' }],
    ['labelled with another environment', 'feature-y', labels],
    ['whose name only ends so', 'mallory-feature-x', labels],
    ['without labels', 'feature-x', {}],
  ])('is nobody for a namespace %s', (_, name, given) => {
    expect(tenantOfNamespace({ name, labels: given }, main)).toBeUndefined()
  })
})

describe('namespaceSelector', () => {
  it('selects by owner and instance', () => {
    expect(namespaceSelector('main')).toBe('app.kubernetes.io/managed-by=tributary,tributary.dev/instance=main')
  })
})
