import type { Change } from '@tributary/contract'
import { isAppError } from '@tributary/kit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyDocument, applyEntry, applyTenant, CatalogModel, dump } from './catalog-model.test-support.js'
import { diffJson } from './differences.js'
import { DraftCatalog } from './draft-catalog.js'
import { viewItems } from './items.js'
import { draftEdits } from './plan-write.js'
import { describeShadowed, shadowedChanges } from './shadowed-changes.js'
import { ViewComparison, wakes, type ViewChange } from './view-changes.js'

const TENANTS = ['integration', 'production', 'f1', 'f2', 'f3']
const SERVICES = ['a', 'b', '*']

const tenant = fc.constantFrom(...TENANTS)
const service = fc.constantFrom('a', 'b')
const data = fc.dictionary(
  fc.constantFrom('x', 'y'),
  fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constant(null), fc.constant({ z: 1 }), fc.constant({ z: 2, w: [1] })),
)
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(tenant, fc.option(tenant)).map(([name, base]) => applyTenant(name, base)),
  tenant.map((name): Change => ({ op: 'delete-tenant', tenant: name, dependents: 'reparent' })),
  fc.tuple(tenant, service, fc.constantFrom('h1', 'h2')).map((args) => applyEntry(...args)),
  fc.tuple(tenant, service).map(([name, what]): Change => ({ op: 'mask-entry', tenant: name, service: what })),
  fc.tuple(tenant, service).map(([name, what]): Change => ({ op: 'delete-entry', tenant: name, service: what })),
  fc.tuple(tenant, fc.constantFrom(...SERVICES), data).map((args) => applyDocument(...args)),
  fc
    .tuple(tenant, fc.constantFrom(...SERVICES))
    .map(([name, what]): Change => ({ op: 'delete-document', tenant: name, service: what })),
  fc
    .tuple(tenant, service)
    .map(([name, what]): Change => ({ op: 'apply-schema', tenant: name, service: what, schema: { type: 'object' } })),
)
const writes = fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { maxLength: 12 })

/** Writes what the rules allow. */
function modelOf(all: readonly (readonly Change[])[]): CatalogModel {
  const model = new CatalogModel()
  model.write(applyTenant('integration', null))
  model.write(applyTenant('f1', 'integration'))
  for (const edits of all) tolerate(() => model.write(...edits))
  return model
}

function tolerate<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch (error) {
    if (isAppError(error)) return undefined
    throw error
  }
}

describe('DraftCatalog', () => {
  it('reads as the catalog does after the write', () => {
    fc.assert(
      fc.property(writes, fc.array(change, { minLength: 1, maxLength: 5 }), (all, edits) => {
        const model = modelOf(all)
        const draft = tolerate(() => draftEdits(model.catalog, edits))
        fc.pre(draft !== undefined)
        if (draft === undefined) return
        const told = withoutStamps(dump(new DraftCatalog(draft), TENANTS, SERVICES))
        model.write(...edits)
        expect(told).toEqual(withoutStamps(dump(model.catalog, TENANTS, SERVICES)))
      }),
    )
  })
})

describe('changedViews', () => {
  it('tells exactly the items of every view that the write changes, for any write', () => {
    fc.assert(
      fc.property(writes, fc.array(change, { minLength: 1, maxLength: 5 }), (all, edits) => {
        const model = modelOf(all)
        const draft = tolerate(() => draftEdits(model.catalog, edits))
        fc.pre(draft !== undefined)
        if (draft === undefined) return
        const after = new DraftCatalog(draft)
        const comparison = new ViewComparison(model.catalog, after)
        const views = new Map(comparison.changedViews(after.changes).map((view) => [view.tenant, view]))
        const before = new Map(TENANTS.map((name) => [name, itemsOf(model, name)]))
        const told = [...views].map(([name, view]) => [name, keysOf(view)])
        const woken = TENANTS.map((name) => wokenIn(comparison, views.get(name)))
        const followed = TENANTS.map((name) => followedItems(model, name))
        model.write(...edits)
        const pairs = TENANTS.map((name) => [before.get(name) ?? new Map(), itemsOf(model, name)] as const)
        const changed = TENANTS.map((name, index) => {
          const [left, right] = pairs[index] ?? [new Map(), new Map()]
          return [name, changedKeys(left, right)]
        })
        expect(new Map(told as [string, string[]][])).toEqual(
          new Map((changed as [string, string[]][]).filter(([, keys]) => keys.length > 0)),
        )
        const altered = TENANTS.map((name, index) =>
          followedItems(model, name).map(
            (items, which) => changedKeys(followed[index]?.[which] ?? new Map(), items).length > 0,
          ),
        )
        expect(woken).toEqual(altered)
        for (const view of views.values()) {
          for (const { service, differences } of view.documents) {
            const [index, which] = [TENANTS.indexOf(view.tenant), Math.max(0, FOLLOWED.indexOf(service))]
            const sides = [followed[index]?.[which], followedItems(model, view.tenant)[which]]
            const [left, right] = sides.map((items) => items?.get(`config/${service}`) ?? {})
            const told = differences.map(({ path }) => path).filter((path) => path.length > 0)
            expect(told).toEqual(diffJson(left, right).map(({ path }) => path))
          }
        }
      }),
      { numRuns: 200 },
    )
  })

  it('merges and compares a document once for a thousand tenants that add nothing to it', () => {
    const model = new CatalogModel()
    model.write(applyTenant('integration', null), applyDocument('integration', 'a', { x: 1 }))
    for (let index = 0; index < 1000; index += 1) model.write(applyTenant(`t${index}`, 'integration'))
    const draft = draftEdits(model.catalog, [applyDocument('integration', 'a', { x: 2 })])
    const after = new DraftCatalog(draft)
    const views = new ViewComparison(model.catalog, after).changedViews(after.changes)
    expect(views).toHaveLength(1001)
    expect(new Set(views.flatMap((view) => view.documents.map(({ differences }) => differences))).size).toBe(1)
  })
})

describe('shadowedChanges', () => {
  function shadowedBy(world: readonly Change[], edit: Change) {
    const model = new CatalogModel()
    for (const one of world) model.write(one)
    const draft = draftEdits(model.catalog, [edit])
    const after = new DraftCatalog(draft)
    const comparison = new ViewComparison(model.catalog, after)
    return shadowedChanges(comparison, after.changes).map((one) => describeShadowed(comparison, one))
  }
  const tenants = [applyTenant('integration', null), applyTenant('f1', 'integration'), applyTenant('f2', 'f1')]

  it('names the entry that lies over the one that changes, nearest to it', () => {
    const world = [...tenants, applyEntry('integration', 'a'), applyEntry('f1', 'a'), applyEntry('f2', 'a')]
    expect(shadowedBy(world, applyEntry('integration', 'a', 'other'))).toEqual([
      { tenant: 'f1', kind: 'service', name: 'a', shadowedBy: 'f1/entry' },
    ])
  })

  it('names each path that stays and the document that sets it, also where a base further down does', () => {
    const world = [
      ...tenants,
      applyDocument('integration', 'a', { x: 1, y: 1 }),
      applyDocument('f1', 'a', { x: 5 }),
      applyDocument('f1', '*', { y: 6 }),
    ]
    const expected = ['f1', 'f2'].flatMap((name) => [
      { tenant: name, kind: 'config', name: 'a', path: '/x', shadowedBy: 'f1/a' },
      { tenant: name, kind: 'config', name: 'a', path: '/y', shadowedBy: 'f1/*' },
    ])
    expect(shadowedBy(world, applyDocument('integration', 'a', { x: 2, y: 2, z: 1 }))).toEqual(expected)
  })

  it('tells where a tenant’s own document of a service hides a change of its *', () => {
    const world = [...tenants, applyDocument('f1', 'a', { x: 5 })]
    expect(shadowedBy(world, applyDocument('f1', '*', { x: 1 }))).toEqual([
      { tenant: 'f1', kind: 'config', name: 'a', path: '/x', shadowedBy: 'f1/a' },
      { tenant: 'f2', kind: 'config', name: 'a', path: '/x', shadowedBy: 'f1/a' },
    ])
  })

  it('names who hides that a value goes', () => {
    const world = [...tenants, applyDocument('integration', 'a', { x: 1, k: 1 }), applyDocument('f1', 'a', { x: 5 })]
    expect(shadowedBy(world, applyDocument('integration', 'a', { k: 1 }))).toEqual([
      { tenant: 'f1', kind: 'config', name: 'a', path: '/x', shadowedBy: 'f1/a' },
      { tenant: 'f2', kind: 'config', name: 'a', path: '/x', shadowedBy: 'f1/a' },
    ])
  })
})

type Items = ReadonlyMap<string, unknown>

function itemsOf(model: CatalogModel, name: string): Items {
  return new Map([...viewItems(model.catalog, name, null)].map(([key, value]) => [key, structuredClone(value)]))
}

function changedKeys(before: Items, after: Items): string[] {
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort()
  return keys.filter(
    (key) => diffJson(before.get(key), after.get(key)).length > 0 || before.has(key) !== after.has(key),
  )
}

function keysOf(view: ViewChange): string[] {
  const chain = view.chainBefore.join() === view.chainAfter.join() ? [] : ['chain']
  const services = view.services.map((one) => `service/${one.service}`)
  return [...chain, ...services, ...view.documents.map((one) => `config/${one.service}`)].sort()
}

const FOLLOWED: readonly (string | null)[] = [null, 'a', 'b']

function wokenIn(comparison: ViewComparison, view: ViewChange | undefined): boolean[] {
  return FOLLOWED.map((followed) => view !== undefined && wakes(comparison, view, followed))
}

/** What each follower's view holds, by the pure functions. */
function followedItems(model: CatalogModel, name: string): Items[] {
  return FOLLOWED.map((followed) => structuredClone(viewItems(model.catalog, name, followed)))
}

function withoutStamps(dumped: unknown): unknown {
  return JSON.parse(
    JSON.stringify(dumped, (key, value: unknown) => {
      if (value instanceof Map) return [...value].sort(([left], [right]) => (String(left) < String(right) ? -1 : 1))
      if (key === 'stamp' || key === 'revision' || key === 'storeRevision' || key === 'head') return undefined
      return typeof value === 'bigint' ? String(value) : value
    }),
  )
}
