import { describe, expect, it } from 'vitest'
import { applyDocument, applyEntry, applyTenant, CatalogModel } from './catalog-model.test-support.js'
import { routeItems, viewItem, viewItems } from './items.js'
import { chainOf } from './resolve.js'

function world(): CatalogModel {
  const model = new CatalogModel()
  model.write(applyTenant('integration', null), applyTenant('feature-x'), applyTenant('production'))
  model.write(applyEntry('integration', 'orders'), applyEntry('feature-x', 'stock'), applyEntry('production', 'orders'))
  model.write(applyDocument('integration', '*', { a: 1 }), applyDocument('feature-x', 'orders', { b: 2 }))
  return model
}

describe('viewItems', () => {
  it('holds the chain, every service and every merged document', () => {
    const items = viewItems(world().catalog, 'feature-x', null)
    expect([...items.keys()].sort()).toEqual(['chain', 'config/*', 'config/orders', 'service/orders', 'service/stock'])
    expect(items.get('config/orders')).toEqual({ a: 1, b: 2 })
  })

  it('holds only the document of a service that it is asked for', () => {
    const items = viewItems(world().catalog, 'feature-x', 'stock')
    expect([...items.keys()].sort()).toEqual(['chain', 'config/stock', 'service/orders', 'service/stock'])
    expect(items.get('config/stock')).toEqual({ a: 1 })
  })

  it('is empty for an unknown tenant', () => {
    expect(viewItems(world().catalog, 'nobody', null).size).toBe(0)
  })

  it('agrees with viewItem item by item', () => {
    const { catalog } = world()
    const chain = chainOf(catalog, 'feature-x')
    for (const [key, value] of viewItems(catalog, 'feature-x', null))
      expect(viewItem(catalog, chain, key)).toEqual(value)
    expect(viewItem(catalog, chain, 'service/nothing')).toBeUndefined()
    expect(viewItem(catalog, [], 'chain')).toBeUndefined()
  })
})

describe('routeItems', () => {
  it('holds the tree below the root and nothing of another root', () => {
    const items = routeItems(world().catalog, 'integration')
    expect([...items.keys()].sort()).toEqual([
      'entry/feature-x/stock',
      'entry/integration/orders',
      'tenant/feature-x',
      'tenant/integration',
    ])
    expect(items.get('tenant/feature-x')).toEqual({ base: 'integration' })
  })
})
