import { canonicalJson } from '@tributary/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyDocument, applyEntry, applyTenant, CatalogModel } from './catalog-model.test-support.js'
import { diffJson, diffStates, diffViews } from './differences.js'
import { rollbackEdits } from './rollback-edits.js'
import { stateNow } from './tenant-state.js'

function world(): CatalogModel {
  const model = new CatalogModel()
  model.write(applyTenant('integration', null), applyTenant('feature-x'))
  model.write(applyEntry('integration', 'orders'), applyDocument('integration', 'orders', { a: 1, list: [1, 2] }))
  return model
}

describe('diffJson', () => {
  it('is empty exactly when two values are equal', () => {
    const value = fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), fc.jsonValue({ maxDepth: 2 }))
    fc.assert(
      fc.property(value, value, (left, right) => {
        expect(diffJson(left, JSON.parse(JSON.stringify(left)))).toEqual([])
        expect(diffJson(left, right).length === 0).toBe(canonicalJson(left) === canonicalJson(right))
      }),
    )
  })

  it('names the path of each member that differs, and compares arrays whole', () => {
    expect(diffJson({ a: { b: 1, c: [1] }, d: 2 }, { a: { b: 2, c: [2] }, e: null })).toEqual([
      { path: ['a', 'b'], before: 1, after: 2 },
      { path: ['a', 'c'], before: [1], after: [2] },
      { path: ['d'], before: 2, after: undefined },
      { path: ['e'], before: undefined, after: null },
    ])
  })
})

describe('diffStates', () => {
  it('tells tenant, entries and documents apart, documents by path', () => {
    const model = world()
    const before = stateNow(model.catalog, 'integration')
    model.write(
      { op: 'apply-tenant', tenant: 'integration', spec: { labels: { a: 'b' } } },
      { op: 'mask-entry', tenant: 'integration', service: 'orders' },
      applyDocument('integration', 'orders', { a: 2, list: [1, 2] }),
      applyDocument('integration', '*', { z: 1 }),
    )
    const differences = diffStates('integration', before, stateNow(model.catalog, 'integration'))
    expect(differences.map(({ kind, name, path }) => [kind, name, path])).toEqual([
      ['tenant', 'integration', undefined],
      ['entry', 'orders', undefined],
      ['document', '*', undefined],
      ['document', 'orders', '/a'],
    ])
    expect(differences[3]).toMatchObject({ before: 1, after: 2 })
  })
})

describe('diffViews', () => {
  it('does not differ for what both get from the same entry', () => {
    expect(diffViews(world().catalog, 'integration', 'feature-x')).toEqual([])
  })

  it('shows own entries, masks and overlaid values', () => {
    const model = world()
    model.write(
      applyEntry('feature-x', 'stock'),
      { op: 'mask-entry', tenant: 'feature-x', service: 'orders' },
      applyDocument('feature-x', 'orders', { a: null }),
      applyDocument('feature-x', 'stock', { b: 1 }),
    )
    const differences = diffViews(model.catalog, 'integration', 'feature-x')
    expect(differences).toEqual([
      expect.objectContaining({ kind: 'service', name: 'orders', after: expect.objectContaining({ state: 'masked' }) }),
      expect.objectContaining({ kind: 'service', name: 'stock', before: null }),
      { kind: 'config', name: 'orders', path: '/a', before: 1, after: null },
      { kind: 'config', name: 'stock', before: null, after: { b: 1 } },
    ])
  })
})

describe('rollbackEdits', () => {
  it('brings documents and entries back, in the scope that was asked for', () => {
    const model = world()
    const target = stateNow(model.catalog, 'integration')
    model.write(
      { op: 'mask-entry', tenant: 'integration', service: 'orders' },
      applyEntry('integration', 'stock'),
      applyDocument('integration', 'orders', { a: 2 }),
      applyDocument('integration', '*', {}),
    )
    const now = stateNow(model.catalog, 'integration')
    const edits = rollbackEdits(now, target, { tenant: 'integration', scope: 'documents' })
    expect(edits.map(({ op }) => op).sort()).toEqual(['apply-document', 'delete-document'])
    expect(rollbackEdits(now, target, { tenant: 'integration', scope: 'all', service: 'stock' })).toEqual([
      { op: 'delete-declared', tenant: 'integration', service: 'stock' },
    ])
    model.write(...rollbackEdits(now, target, { tenant: 'integration', scope: 'all' }))
    expect(stateNow(model.catalog, 'integration')).toEqual(target)
  })

  it('brings a mask back', () => {
    const model = world()
    model.write({ op: 'mask-entry', tenant: 'feature-x', service: 'orders' })
    const target = stateNow(model.catalog, 'feature-x')
    model.write(applyEntry('feature-x', 'orders'))
    model.write(
      ...rollbackEdits(stateNow(model.catalog, 'feature-x'), target, { tenant: 'feature-x', scope: 'entries' }),
    )
    expect(stateNow(model.catalog, 'feature-x')).toEqual(target)
  })
})
