import { describe, expect, it } from 'vitest'
import { applyDocument, applyEntry, applyTenant, CatalogModel } from './catalog-model.test-support.js'
import { tenantKey } from './keys.js'
import { chainOf, documentNames, resolveDocument, resolveService, resolveServices } from './resolve.js'

function world(): CatalogModel {
  const model = new CatalogModel()
  model.write(applyTenant('integration', null), applyTenant('feature-w'), applyTenant('feature-x', 'feature-w'))
  model.write(
    applyEntry('integration', 'orders'),
    applyEntry('integration', 'stock'),
    applyEntry('feature-x', 'orders'),
  )
  return model
}

describe('chainOf', () => {
  it('lists the tenant and its bases, nearest first', () => {
    expect(chainOf(world().catalog, 'feature-x')).toEqual(['feature-x', 'feature-w', 'integration'])
  })

  it('is empty for an unknown tenant', () => {
    expect(chainOf(world().catalog, 'nobody')).toEqual([])
  })

  it('ends at a missing base and at a repetition, so that a damaged store hangs nobody', () => {
    const model = new CatalogModel()
    const tenant = (base: string): string => JSON.stringify({ base, stage: 'development', labels: {}, stamp: {} })
    model.apply([
      { kind: 'put', key: tenantKey('a'), value: tenant('b') },
      { kind: 'put', key: tenantKey('b'), value: tenant('a') },
      { kind: 'put', key: tenantKey('c'), value: tenant('gone') },
    ])
    expect(chainOf(model.catalog, 'a')).toEqual(['a', 'b'])
    expect(chainOf(model.catalog, 'c')).toEqual(['c'])
  })
})

describe('resolveService', () => {
  it('takes the nearest entry whole and says whose it is', () => {
    const { catalog } = world()
    const chain = chainOf(catalog, 'feature-x')
    expect(resolveService(catalog, chain, 'orders')).toMatchObject({ state: 'own', owner: 'feature-x' })
    expect(resolveService(catalog, chain, 'stock')).toMatchObject({ state: 'inherited', owner: 'integration' })
    expect(resolveService(catalog, chain, 'nothing')).toBeUndefined()
  })

  it('never mixes endpoints of two tenants', () => {
    const { catalog } = world()
    const resolved = resolveService(catalog, chainOf(catalog, 'feature-x'), 'orders')
    expect(resolved?.endpoints.map(({ host }) => host)).toEqual(['feature-x-orders'])
  })

  it('shows a mask as masked, not as a fallback', () => {
    const model = world()
    model.write({ op: 'mask-entry', tenant: 'feature-w', service: 'stock' })
    const chain = chainOf(model.catalog, 'feature-x')
    expect(resolveService(model.catalog, chain, 'stock')).toEqual({
      state: 'masked',
      owner: 'feature-w',
      endpoints: [],
    })
  })

  it('falls back to the base as soon as the own entry is gone', () => {
    const model = world()
    model.write({ op: 'delete-entry', tenant: 'feature-x', service: 'orders' })
    const chain = chainOf(model.catalog, 'feature-x')
    expect(resolveService(model.catalog, chain, 'orders')).toMatchObject({ state: 'inherited', owner: 'integration' })
  })

  it('agrees with resolveServices', () => {
    const { catalog } = world()
    const chain = chainOf(catalog, 'feature-x')
    const all = resolveServices(catalog, chain)
    expect([...all.keys()].sort()).toEqual(['orders', 'stock'])
    for (const [service, resolved] of all) expect(resolveService(catalog, chain, service)).toEqual(resolved)
  })
})

describe('resolveDocument', () => {
  it('merges from the root down', () => {
    const model = world()
    model.write(applyDocument('integration', 'orders', { size: 20, db: { host: 'i', port: 1 } }))
    model.write(applyDocument('feature-x', 'orders', { db: { host: 'x' }, size: null }))
    expect(resolveDocument(model.catalog, chainOf(model.catalog, 'feature-x'), 'orders')).toEqual({
      db: { host: 'x', port: 1 },
    })
  })

  it('lets a tenant’s * beat its base’s service document, and its own service document beat its *', () => {
    const model = world()
    model.write(
      applyDocument('integration', '*', { level: 'integration *', a: 1 }),
      applyDocument('integration', 'orders', { level: 'integration orders', b: 2 }),
      applyDocument('feature-x', '*', { level: 'feature *' }),
    )
    const chain = chainOf(model.catalog, 'feature-x')
    expect(resolveDocument(model.catalog, chain, 'orders')).toEqual({ level: 'feature *', a: 1, b: 2 })
    model.write(applyDocument('feature-x', 'orders', { level: 'feature orders' }))
    expect(resolveDocument(model.catalog, chain, 'orders')).toMatchObject({ level: 'feature orders' })
    expect(resolveDocument(model.catalog, chain, '*')).toEqual({ level: 'feature *', a: 1 })
  })

  it('is undefined when no document contributes, and an empty object when an empty one does', () => {
    const model = world()
    const chain = chainOf(model.catalog, 'feature-x')
    expect(resolveDocument(model.catalog, chain, 'orders')).toBeUndefined()
    model.write(applyDocument('feature-w', 'orders', {}))
    expect(resolveDocument(model.catalog, chain, 'orders')).toEqual({})
    expect([...documentNames(model.catalog, chain)]).toEqual(['orders'])
  })
})
