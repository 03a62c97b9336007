import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyDocument, applyEntry, applyTenant, CatalogModel } from './catalog-model.test-support.js'
import { explainDocument } from './explain-document.js'
import { explainService } from './explain-service.js'
import { formatPointer, valueAt } from './json-pointer.js'
import { mergeDocuments, isObject } from './merge-patch.js'
import { chainOf, resolveDocument, resolveService } from './resolve.js'

function world(): CatalogModel {
  const model = new CatalogModel()
  model.write(applyTenant('integration', null), applyTenant('feature-w'), applyTenant('feature-x', 'feature-w'))
  return model
}

describe('explainService', () => {
  it('names the tenants that have no entry', () => {
    const model = world()
    model.write(applyEntry('integration', 'orders'))
    const explained = explainService(model.catalog, 'feature-x', 'orders')
    expect(explained.summary).toBe(
      'feature-x sees orders of integration, because neither feature-x nor feature-w has an entry.',
    )
    expect(explained.result).toEqual(resolveService(model.catalog, chainOf(model.catalog, 'feature-x'), 'orders'))
    expect(explained.layers).toEqual([
      {
        tenant: 'integration',
        source: 'entry',
        revision: '2',
        actor: 'ci (deployer)',
        at: '2026-01-01T00:00:00.000Z',
        value: expect.objectContaining({ state: 'present' }),
        effect: 'effective',
      },
    ])
  })

  it('shows every entry of the chain, and who shadows whom', () => {
    const model = world()
    model.write(
      applyEntry('integration', 'orders'),
      applyEntry('feature-w', 'orders'),
      applyEntry('feature-x', 'orders'),
    )
    const { summary, layers } = explainService(model.catalog, 'feature-x', 'orders')
    expect(summary).toBe('feature-x sees its own orders, because it has an entry.')
    expect(layers.map(({ tenant, effect, shadowedBy }) => [tenant, effect, shadowedBy])).toEqual([
      ['feature-x', 'effective', undefined],
      ['feature-w', 'shadowed', 'feature-x/entry'],
      ['integration', 'shadowed', 'feature-x/entry'],
    ])
  })

  it('says who masks a service', () => {
    const model = world()
    model.write(applyEntry('integration', 'orders'), { op: 'mask-entry', tenant: 'feature-w', service: 'orders' })
    const explained = explainService(model.catalog, 'feature-x', 'orders')
    expect(explained.summary).toBe('feature-x sees no orders: feature-w masks it, so there is no fallback.')
    expect(explained.layers.map(({ effect }) => effect)).toEqual(['masks', 'shadowed'])
    expect(explainService(model.catalog, 'feature-w', 'orders').summary).toContain('it masks it')
  })

  it.each([
    ['integration', 'integration sees no orders, because integration has no entry.'],
    ['feature-w', 'feature-w sees no orders, because neither feature-w nor integration has an entry.'],
    ['feature-x', 'feature-x sees no orders, because none of feature-x, feature-w and integration has an entry.'],
  ])('says why %s sees none', (tenant, summary) => {
    expect(explainService(world().catalog, tenant, 'orders')).toMatchObject({ summary, result: null, layers: [] })
  })
})

describe('explainDocument', () => {
  const at = (model: CatalogModel, ...path: string[]): ReturnType<typeof explainDocument> =>
    explainDocument(model.catalog, { tenant: 'feature-x', service: 'orders', path })
  const effects = ({ layers }: ReturnType<typeof explainDocument>): string[] =>
    layers.map(({ tenant, source, effect }) => `${tenant}/${source} ${effect}`)

  it('lets the strongest scalar win and shadows the rest', () => {
    const model = world()
    model.write(
      applyDocument('integration', 'orders', { size: 1 }),
      applyDocument('feature-w', '*', { size: 2 }),
      applyDocument('feature-x', '*', { size: 3 }),
    )
    const explained = at(model, 'size')
    expect(explained).toMatchObject({
      path: '/size',
      result: 3,
      summary: 'feature-x gets /size of orders from feature-x/*, over feature-w/*, integration/orders.',
    })
    expect(effects(explained)).toEqual(['feature-x/* effective', 'feature-w/* shadowed', 'integration/orders shadowed'])
    expect(explained.layers[2]?.shadowedBy).toBe('feature-x/*')
  })

  it('shows all objects that are merged', () => {
    const model = world()
    model.write(
      applyDocument('integration', 'orders', { db: { host: 'i' } }),
      applyDocument('feature-x', 'orders', { db: { port: 1 } }),
    )
    expect(at(model, 'db')).toMatchObject({
      result: { host: 'i', port: 1 },
      summary: 'feature-x gets /db of orders merged from feature-x/orders, integration/orders, the nearest first.',
    })
    expect(effects(at(model))).toEqual(['feature-x/orders merged', 'integration/orders merged'])
    expect(effects(at(model, 'db', 'port'))).toEqual(['feature-x/orders effective'])
  })

  it('says who removes a value, by a null there or above', () => {
    const model = world()
    model.write(
      applyDocument('integration', 'orders', { db: { host: 'i' } }),
      applyDocument('feature-x', 'orders', { db: null }),
    )
    expect(at(model, 'db', 'host')).toMatchObject({
      result: null,
      summary: 'feature-x has no /db/host of orders, because feature-x/orders removes it.',
    })
    expect(effects(at(model, 'db', 'host'))).toEqual(['feature-x/orders removes', 'integration/orders shadowed'])
  })

  it('says that a scalar above removes what was inside', () => {
    const model = world()
    model.write(
      applyDocument('integration', 'orders', { db: { host: 'i' } }),
      applyDocument('feature-x', 'orders', { db: 'url' }),
    )
    expect(effects(at(model, 'db', 'host'))).toEqual(['feature-x/orders removes', 'integration/orders shadowed'])
  })

  it('takes arrays whole', () => {
    const model = world()
    model.write(
      applyDocument('integration', 'orders', { list: [1, 2] }),
      applyDocument('feature-x', 'orders', { list: [{ a: 3 }] }),
    )
    expect(at(model, 'list', '0', 'a')).toMatchObject({ result: 3 })
    expect(effects(at(model, 'list', '1'))).toEqual(['feature-x/orders removes', 'integration/orders shadowed'])
  })

  it('shadows a scalar by the object that replaces it', () => {
    const model = world()
    model.write(
      applyDocument('integration', 'orders', { db: { host: 'i' } }),
      applyDocument('feature-w', 'orders', { db: 'url' }),
      applyDocument('feature-x', 'orders', { db: { port: 1 } }),
    )
    expect(at(model, 'db').result).toEqual({ port: 1 })
    expect(effects(at(model, 'db'))).toEqual([
      'feature-x/orders effective',
      'feature-w/orders shadowed',
      'integration/orders shadowed',
    ])
  })

  it('says that an object removes what is inside the array that it replaces', () => {
    const model = world()
    model.write(
      applyDocument('integration', 'orders', { list: [1] }),
      applyDocument('feature-x', 'orders', { list: {} }),
    )
    expect(at(model, 'list', '0').summary).toBe(
      'feature-x has no /list/0 of orders, because feature-x/orders removes it.',
    )
    expect(effects(at(model, 'list', '0'))).toEqual(['feature-x/orders removes', 'integration/orders shadowed'])
  })

  it('says that nobody sets a value', () => {
    expect(at(world(), 'a').summary).toBe('feature-x has no /a of orders, because no document in its chain sets it.')
    expect(at(world()).summary).toBe('feature-x has no config of orders, because no document in its chain sets it.')
  })

  it('lists layers that alone give the result that the view has', () => {
    const leaf = fc.oneof(fc.integer({ max: 3 }), fc.constant(null), fc.constant([1, { a: 2 }]))
    const inner = fc.dictionary(fc.constantFrom('a', 'b'), leaf)
    const data = fc.dictionary(fc.constantFrom('a', 'b'), fc.oneof(leaf, inner))
    const document = fc.tuple(
      fc.constantFrom('integration', 'feature-w', 'feature-x'),
      fc.constantFrom('*', 'orders'),
      data,
    )
    const path = fc.array(fc.constantFrom('a', 'b', '0', '1'), { maxLength: 3 })
    fc.assert(
      fc.property(fc.array(document, { maxLength: 6 }), path, (documents, place) => {
        const model = world()
        for (const [tenant, service, value] of documents) model.write(applyDocument(tenant, service, value))
        const explained = at(model, ...place)
        const seen = valueAt(resolveDocument(model.catalog, chainOf(model.catalog, 'feature-x'), 'orders'), place)
        expect(explained.result).toEqual(seen ?? null)
        expect(explained.path).toBe(formatPointer(place))
        const active = explained.layers.filter(({ effect }) => effect === 'effective' || effect === 'merged')
        const values = active.map(({ value }) => value).reverse()
        const rebuilt = values.every(isObject) ? mergeDocuments(values) : values[0]
        expect(active.length === 0 ? undefined : rebuilt).toEqual(seen)
      }),
      { numRuns: 1_000 },
    )
  })
})
