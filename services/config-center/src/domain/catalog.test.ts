import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  applyDocument,
  applyEntry,
  applyTenant,
  CatalogModel,
  dump,
  registerInstance,
} from './catalog-model.test-support.js'
import { Catalog } from './catalog.js'
import { documentKey, headKey, registrationKey, tenantKey, tokenKey } from './keys.js'

const TENANTS = ['integration', 'feature-w', 'feature-x']
const SERVICES = ['orders', 'stock', '*']
const INSTANCES = ['@declared', '1st', 'zeta']
const STAMP = { by: 'ci (deployer)', at: 0 }

const tenantWrite = fc
  .record({ tenant: fc.constantFrom(...TENANTS), base: fc.constantFrom('integration', 'feature-w', null) })
  .map(({ tenant, base }) => ({
    key: tenantKey(tenant),
    value: { base, stage: 'development', labels: {}, stamp: STAMP } as object,
  }))
const registrationWrite = fc
  .record({
    tenant: fc.constantFrom(...TENANTS),
    service: fc.constantFrom('orders', 'stock'),
    instance: fc.constantFrom(...INSTANCES),
    masked: fc.boolean(),
    host: fc.constantFrom('h1', 'h2'),
  })
  .map(({ tenant, service, instance, masked, host }) => ({
    key: registrationKey(tenant, service, instance),
    value: masked
      ? { state: 'masked', stamp: STAMP }
      : { state: 'present', spec: { endpoints: [{ name: 'http', protocol: 'http', host, port: 1 }] }, stamp: STAMP },
  }))
const documentWrite = fc
  .record({
    tenant: fc.constantFrom(...TENANTS),
    service: fc.constantFrom(...SERVICES),
    data: fc.dictionary(fc.constantFrom('a', 'b'), fc.integer()),
  })
  .map(({ tenant, service, data }) => ({ key: documentKey(tenant, service), value: { data, stamp: STAMP } as object }))
const otherWrite = fc
  .constantFrom(headKey('integration'), headKey('feature-x'), tokenKey('0000'))
  .map((key) => ({ key, value: {} }))
const write = fc.record({
  item: fc.oneof(tenantWrite, registrationWrite, documentWrite, otherWrite),
  remove: fc.boolean(),
})
const revisions = fc.array(fc.uniqueArray(write, { selector: ({ item }) => item.key, maxLength: 6 }), { maxLength: 12 })

describe('Catalog', () => {
  it('says after any batches what a catalog says that is built from the final keys', () => {
    fc.assert(
      fc.property(revisions, (batches) => {
        const model = new CatalogModel()
        for (const batch of batches) {
          model.apply(
            batch.map(({ item: { key, value }, remove }) =>
              remove ? { kind: 'delete', select: { key } } : { kind: 'put', key, value: JSON.stringify(value) },
            ),
          )
        }
        expect(dump(model.catalog, TENANTS, SERVICES)).toEqual(dump(model.rebuilt(), TENANTS, SERVICES))
      }),
    )
  })

  it('reports each entry that several keys make up once, with its state before and after the batch', () => {
    const model = new CatalogModel()
    model.write(applyTenant('integration', null))
    model.write(registerInstance('integration', 'orders', 'i1'))
    const catalog = model.rebuilt()
    const before = catalog.entry('integration', 'orders')
    const changes = catalog.applyBatch({
      storeRevision: 9n,
      events: [
        { kind: 'delete', key: registrationKey('integration', 'orders', 'i1'), modRevision: 9n },
        {
          kind: 'put',
          entry: {
            key: registrationKey('integration', 'orders', 'i2'),
            value: JSON.stringify({ state: 'present', spec: { endpoints: [] }, ttlSeconds: 5, stamp: STAMP }),
            createRevision: 9n,
            modRevision: 9n,
            version: 1n,
            leaseId: 'l2',
          },
        },
      ],
    })
    const after = catalog.entry('integration', 'orders')
    expect(changes).toEqual([{ kind: 'entry', tenant: 'integration', service: 'orders', before, after }])
    expect(after?.instances).toEqual(['i2'])
    expect(catalog.registrations('integration', 'orders').get('i2')?.leaseId).toBe('l2')
  })

  it('puts declared endpoints first, then those of the instances in order of their ids', () => {
    const model = new CatalogModel()
    model.write(applyTenant('integration', null))
    model.write(registerInstance('integration', 'orders', 'b'))
    model.write(registerInstance('integration', 'orders', '1'))
    model.write(applyEntry('integration', 'orders', 'declared'))
    const entry = model.catalog.entry('integration', 'orders')
    expect(entry?.endpoints.map(({ host }) => host)).toEqual(['declared', '1', 'b'])
    expect(entry?.instances).toEqual(['1', 'b'])
    expect(entry?.revision).toBe(model.revision)
  })

  it('takes version, commit and metadata from the declared registration', () => {
    const model = new CatalogModel()
    const described = { endpoints: [], version: 'v1', commitSha: 'a'.repeat(40), metadata: { team: 'shop' } }
    model.write(applyTenant('integration', null))
    model.write(registerInstance('integration', 'orders', '1'))
    model.write({ op: 'apply-entry', tenant: 'integration', service: 'orders', spec: described })
    expect(model.catalog.entry('integration', 'orders')).toMatchObject({
      version: 'v1',
      commitSha: 'a'.repeat(40),
      metadata: { team: 'shop' },
    })
  })

  it('shows no endpoints of a masked entry, whatever instances live behind the mask', () => {
    const model = new CatalogModel()
    model.write(applyTenant('integration', null))
    model.write(registerInstance('integration', 'orders', 'i1'))
    model.write({ op: 'mask-entry', tenant: 'integration', service: 'orders' })
    expect(model.catalog.entry('integration', 'orders')).toMatchObject({
      state: 'masked',
      endpoints: [],
      instances: [],
    })
  })

  it('forgets dependents when a tenant gets another base or goes', () => {
    const model = new CatalogModel()
    model.write(applyTenant('integration', null), applyTenant('feature-w'), applyTenant('feature-x', 'feature-w'))
    model.write(applyTenant('feature-x'))
    expect([...model.catalog.dependents('feature-w')]).toEqual([])
    expect([...model.catalog.dependents('integration')].sort()).toEqual(['feature-w', 'feature-x'])
    model.write({ op: 'delete-tenant', tenant: 'feature-x' })
    expect([...model.catalog.dependents('integration')]).toEqual(['feature-w'])
  })

  it('passes over keys that it does not know', () => {
    const catalog = new Catalog()
    const entry = { key: 'cc/history/x/1', value: 'not json', createRevision: 1n, modRevision: 1n, version: 1n }
    expect(catalog.applyBatch({ storeRevision: 1n, events: [{ kind: 'put', entry }] })).toEqual([])
    expect(catalog.storeRevision).toBe(1n)
  })

  it('keeps a document whose member is called __proto__ as data', () => {
    const model = new CatalogModel()
    model.write(applyTenant('integration', null))
    model.write(applyDocument('integration', 'orders', JSON.parse('{"__proto__":{"a":1}}') as Record<string, unknown>))
    expect(JSON.stringify(model.catalog.document('integration', 'orders')?.data)).toBe('{"__proto__":{"a":1}}')
  })
})
