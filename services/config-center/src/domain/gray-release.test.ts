import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyDocument, applyEntry, applyTenant, CatalogModel } from './catalog-model.test-support.js'
import type { CatalogEdit } from './edits.js'
import { isInGray, isMember } from './gray-release.js'
import { grayViewItems, viewItems } from './items.js'

const value = fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constant(null), fc.constant({ z: 1 }), fc.constant([1]))
const data = fc.dictionary(fc.constantFrom('x', 'y'), value)

function gray(tenant: string, service: string, patch: Record<string, unknown>): CatalogEdit {
  return { op: 'apply-gray', tenant, service, id: 'id', spec: { patch, instances: ['i-1'] } }
}

describe('isMember', () => {
  it('draws about the share that is asked for, and keeps who is in when the share grows', () => {
    const names = Array.from({ length: 2_000 }, (_, index) => `orders-${index}`)
    const drawn = [5, 20, 60, 100].map((percent) =>
      names.filter((name) => isMember({ id: 'a', patch: {}, percent }, name)),
    )
    const [few = [], some = [], most = [], all = []] = drawn
    expect(few.length).toBeGreaterThan(50)
    expect(few.length).toBeLessThan(160)
    expect(some.length).toBeGreaterThan(320)
    expect(some.length).toBeLessThan(480)
    expect(all).toEqual(names)
    expect(few.every((name) => some.includes(name)) && some.every((name) => most.includes(name))).toBe(true)
  })

  it('draws others for another release', () => {
    const names = Array.from({ length: 200 }, (_, index) => `orders-${index}`)
    const of = (id: string) => names.filter((name) => isMember({ id, patch: {}, percent: 20 }, name)).join()
    expect(of('a')).not.toBe(of('b'))
  })
})

describe('isInGray', () => {
  const model = new CatalogModel()
  model.write(applyTenant('integration', null), gray('integration', 'orders', {}))
  model.write(applyTenant('f1', 'integration'))

  it('reaches named instances of that service of that tenant, and nobody else', () => {
    const follower = { tenant: 'integration', service: 'orders', instance: 'i-1' }
    expect(isInGray(model.catalog, follower)).toBe(true)
    for (const other of [
      { ...follower, instance: 'i-2' },
      { ...follower, instance: '' },
      { ...follower, service: null },
      { ...follower, service: 'stock' },
      { ...follower, tenant: 'f1' },
    ]) {
      expect(isInGray(model.catalog, other)).toBe(false)
    }
  })
})

describe('the view of a gray release', () => {
  it('is exactly what everybody sees once it is promoted, and what everybody sees when it is aborted', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('*', 'a'), fc.constantFrom('integration', 'f1'), data)),
        data,
        (documents, patch) => {
          const model = new CatalogModel()
          model.write(
            applyTenant('integration', null),
            applyTenant('f1', 'integration'),
            applyEntry('integration', 'a'),
          )
          for (const [service, tenant, content] of documents) model.write(applyDocument(tenant, service, content))
          const others = viewItems(model.catalog, 'f1', 'a')
          model.write(gray('f1', 'a', patch))
          expect(viewItems(model.catalog, 'f1', 'a')).toEqual(others)
          const members = grayViewItems(model.catalog, 'f1', 'a')
          model.write(
            { op: 'delete-gray', tenant: 'f1', service: 'a' },
            { op: 'patch-document', tenant: 'f1', service: 'a', patch },
          )
          expect(viewItems(model.catalog, 'f1', 'a')).toEqual(members)
          expect(grayViewItems(model.catalog, 'f1', 'a')).toEqual(members)
        },
      ),
    )
  })
})
