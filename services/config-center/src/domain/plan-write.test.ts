import { inspect } from 'node:util'
import { isAppError } from '@tributary/kit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  applyDocument,
  applyEntry,
  applyTenant,
  CatalogModel,
  MODEL_TIME,
  registerInstance,
} from './catalog-model.test-support.js'
import type { CatalogEdit } from './edits.js'
import { entryPrefix, headKey, registrationKey, tenantKey } from './keys.js'
import { stateNow, undoChanges } from './tenant-state.js'

function world(): CatalogModel {
  const model = new CatalogModel()
  model.write(applyTenant('integration', null))
  model.write(applyTenant('feature-w'), applyTenant('feature-x', 'feature-w'))
  return model
}

function errorOf(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  return undefined
}

function codeOf(act: () => unknown): string | undefined {
  const error = errorOf(act)
  if (error === undefined) return undefined
  return isAppError(error) ? error.code : `not an AppError: ${inspect(error)}`
}

describe('planWrite', () => {
  it('writes things, heads and one history record for each tenant in one transaction', () => {
    const model = world()
    const plan = model.writeAs(
      { note: { reason: 'deploy', runId: 'run-1' }, actor: 'env-manager (deployer)' },
      applyEntry('feature-x', 'orders'),
      applyDocument('feature-x', 'orders', { a: 1 }),
      applyEntry('feature-w', 'stock'),
    )
    expect(plan?.mutations).toHaveLength(3 + 2 * 2)
    expect(model.history('feature-x')[0]).toEqual({
      revision: model.revision,
      record: {
        at: MODEL_TIME,
        actor: 'env-manager (deployer)',
        reason: 'deploy',
        runId: 'run-1',
        changes: [
          expect.objectContaining({ kind: 'entry', tenant: 'feature-x', name: 'orders', before: null }),
          { kind: 'document', tenant: 'feature-x', name: 'orders', before: null, after: { a: 1 } },
        ],
      },
    })
    expect(model.history('feature-w')[0]?.record.changes).toHaveLength(1)
    expect(model.catalog.document('feature-x', 'orders')?.stamp).toEqual({
      by: 'env-manager (deployer)',
      at: MODEL_TIME,
      runId: 'run-1',
    })
  })

  it('writes nothing for edits that are the state already', () => {
    const model = world()
    const edits: CatalogEdit[] = [
      applyTenant('feature-x', 'feature-w'),
      applyEntry('feature-x', 'orders'),
      applyDocument('feature-x', 'orders', { a: 1, b: { c: 2 } }),
      { op: 'mask-entry', tenant: 'feature-x', service: 'stock' },
    ]
    model.write(...edits)
    expect(model.write(...edits)).toBeUndefined()
    expect(model.write(applyDocument('feature-x', 'orders', { b: { c: 2 }, a: 1 }))).toBeUndefined()
    expect(model.write({ op: 'delete-entry', tenant: 'feature-x', service: 'nothing' })).toBeUndefined()
    expect(
      model.write({ op: 'patch-document', tenant: 'feature-x', service: 'orders', patch: { a: 1 } }),
    ).toBeUndefined()
  })

  it('writes nothing for edits that undo each other within one write', () => {
    const model = world()
    const away: CatalogEdit = { op: 'delete-document', tenant: 'feature-x', service: 'orders' }
    expect(model.write(applyDocument('feature-x', 'orders', { a: 1 }), away)).toBeUndefined()
  })

  it('compares with the head of every tenant that the edits name', () => {
    const model = world()
    const plan = model.write(applyEntry('feature-x', 'orders'), applyTenant('feature-w'))
    expect(plan?.compares).toEqual(
      ['feature-x', 'feature-w'].map((tenant) => ({
        select: { key: headKey(tenant) },
        target: 'modRevision',
        op: '=',
        value: 2n,
      })),
    )
  })

  it('compares with the whole chain of a tenant that is new', () => {
    const plan = world().write(applyTenant('feature-y', 'feature-x'))
    expect(plan?.compares).toEqual([
      { select: { key: headKey('feature-y') }, target: 'modRevision', op: '=', value: 0n },
      ...[
        ['feature-y', 0n],
        ['feature-x', 2n],
        ['feature-w', 2n],
        ['integration', 1n],
      ].map(([tenant, value]) => ({
        select: { key: tenantKey(String(tenant)) },
        target: 'modRevision',
        op: '=',
        value,
      })),
    ])
  })

  it('compares with all tenants when one goes or moves, so that none starts to overlay it unseen', () => {
    const noneNewer = { select: { prefix: 'cc/tenant/' }, target: 'modRevision', op: '<=', value: 2n }
    expect(world().write(applyTenant('feature-x', 'integration'))?.compares).toContainEqual(noneNewer)
    expect(world().write({ op: 'delete-tenant', tenant: 'feature-x' })?.compares).toContainEqual(noneNewer)
  })

  it('deletes a tenant with all that it has and its tokens, and keeps its history', () => {
    const model = world()
    model.write(applyEntry('feature-x', 'orders'), applyDocument('feature-x', '*', { a: 1 }))
    model.write(registerInstance('feature-x', 'orders', 'i1'))
    const plan = model.write({ op: 'delete-tenant', tenant: 'feature-x' })
    expect(plan?.mutations).toContainEqual({ kind: 'delete', select: { key: 'cc/token/feature-x-token' } })
    expect(plan?.mutations).toContainEqual({ kind: 'delete', select: { prefix: entryPrefix('feature-x') } })
    expect([...model.keys.keys()].filter((key) => key.includes('/feature-x')).map((key) => key.split('/')[1])).toEqual(
      expect.not.arrayContaining(['tenant', 'entry', 'document']),
    )
    const names = model.history('feature-x')[0]?.record.changes.map(({ kind, name, after }) => [kind, name, after])
    expect(names).toEqual([
      ['tenant', 'feature-x', null],
      ['entry', 'orders', null],
      ['entry', 'orders/i1', null],
      ['document', '*', null],
    ])
  })

  it('gives dependents the base of a deleted tenant in the same write when asked to', () => {
    const model = world()
    model.write({ op: 'delete-tenant', tenant: 'feature-w', dependents: 'reparent' })
    expect(model.catalog.tenant('feature-x')?.base).toBe('integration')
    expect(model.history('feature-x')[0]?.record.changes).toEqual([
      {
        kind: 'tenant',
        tenant: 'feature-x',
        name: 'feature-x',
        before: { base: 'feature-w', stage: 'development', labels: {} },
        after: { base: 'integration', stage: 'development', labels: {} },
      },
    ])
  })

  it('takes a base and what overlays it in one write, in either order', () => {
    const model = new CatalogModel()
    model.write(applyTenant('feature-x'), applyTenant('integration', null))
    expect(model.catalog.tenant('feature-x')?.base).toBe('integration')
    model.write({ op: 'delete-tenant', tenant: 'integration' }, { op: 'delete-tenant', tenant: 'feature-x' })
    expect([...model.catalog.tenants()]).toEqual([])
  })

  it('keeps leased instances when an entry is declared, and takes them with the entry', () => {
    const model = world()
    model.write(registerInstance('feature-x', 'orders', 'i1'))
    model.write(applyEntry('feature-x', 'orders'))
    model.write({ op: 'delete-declared', tenant: 'feature-x', service: 'orders' })
    expect(model.catalog.entry('feature-x', 'orders')?.instances).toEqual(['i1'])
    expect(model.keys.get(registrationKey('feature-x', 'orders', 'i1'))?.leaseId).toBe('lease-i1')
    model.write({ op: 'delete-entry', tenant: 'feature-x', service: 'orders' })
    expect(model.catalog.entry('feature-x', 'orders')).toBeUndefined()
  })

  it('writes an instance again when only its lease changes', () => {
    const model = world()
    const edit = registerInstance('feature-x', 'orders', 'i1')
    model.write(edit)
    expect(model.write(edit)).toBeUndefined()
    expect(model.write({ ...edit, leaseId: 'other' } as CatalogEdit)).toBeDefined()
    expect(model.catalog.registrations('feature-x', 'orders').get('i1')?.leaseId).toBe('other')
  })

  it('leaves a document’s own nulls in place when it is patched', () => {
    const model = world()
    model.write(applyDocument('feature-x', 'orders', { inherited: null, size: 1 }))
    model.write({ op: 'patch-document', tenant: 'feature-x', service: 'orders', patch: { size: null, page: { a: 1 } } })
    expect(model.catalog.document('feature-x', 'orders')?.data).toEqual({ inherited: null, page: { a: 1 } })
  })
})

describe('planWrite refuses', () => {
  it.each<[string, CatalogEdit[]]>([
    ['TENANT_NOT_FOUND', [applyEntry('nobody', 'orders')]],
    ['TENANT_NOT_FOUND', [{ op: 'delete-tenant', tenant: 'nobody' }]],
    ['BASE_NOT_FOUND', [applyTenant('feature-y', 'nobody')]],
    ['TENANT_CYCLE', [applyTenant('feature-w', 'feature-x')]],
    ['TENANT_CYCLE', [applyTenant('feature-w', 'feature-w')]],
    ['TENANT_HAS_DEPENDENTS', [{ op: 'delete-tenant', tenant: 'feature-w' }]],
    ['TENANT_HAS_DEPENDENTS', [{ op: 'delete-tenant', tenant: 'feature-x' }, applyTenant('feature-y', 'feature-x')]],
    ['INVALID_TENANT', [applyTenant('integration', 'feature-x')]],
    ['INVALID_TENANT', [applyTenant('production', 'integration')]],
    ['INVALID_TENANT', [{ op: 'apply-tenant', tenant: 'load', spec: { stage: 'performance', base: 'integration' } }]],
    ['INVALID_TENANT', [{ op: 'apply-tenant', tenant: 'production', spec: { stage: 'development' } }]],
    ['INVALID_TENANT', [{ op: 'apply-tenant', tenant: 'feature-y', spec: { labels: { ['x'.repeat(64)]: '' } } }]],
    ['INVALID_TRANSACTION', [{ op: 'delete-tenant', tenant: 'feature-x' }, applyTenant('feature-x')]],
    ['DOCUMENT_TOO_LARGE', [applyDocument('feature-x', 'orders', { a: 'x'.repeat(300_000) })]],
  ])('with %s: %j', (code, edits) => {
    const model = world()
    const before = model.revision
    expect(codeOf(() => model.write(...edits))).toBe(code)
    expect(model.revision).toBe(before)
  })

  it('a chain of nine tenants, also when it grows in the middle', () => {
    const model = world()
    const names = ['a', 'b', 'c', 'd', 'e']
    names.forEach((name, index) => model.write(applyTenant(name, names[index - 1] ?? 'feature-x')))
    expect(codeOf(() => model.write(applyTenant('f', 'e')))).toBe('CHAIN_TOO_LONG')
    model.write(applyTenant('feature-v', 'integration'))
    expect(codeOf(() => model.write(applyTenant('feature-w', 'feature-v')))).toBe('CHAIN_TOO_LONG')
  })

  it('a document that grows too large by a patch', () => {
    const model = world()
    model.write(applyDocument('feature-x', 'orders', { a: 'x'.repeat(200_000) }))
    const patch = { b: 'x'.repeat(100_000) }
    expect(codeOf(() => model.write({ op: 'patch-document', tenant: 'feature-x', service: 'orders', patch }))).toBe(
      'DOCUMENT_TOO_LARGE',
    )
  })

  it.each<[string, CatalogEdit]>([
    ['a stale tenant', { op: 'apply-tenant', tenant: 'feature-x', spec: {}, expectedRevision: '1' }],
    ['a tenant that should be absent', { op: 'apply-tenant', tenant: 'feature-x', spec: {}, expectedRevision: '0' }],
    ['an absent entry', { op: 'mask-entry', tenant: 'feature-x', service: 'orders', expectedRevision: '2' }],
    ['an absent document', { op: 'delete-document', tenant: 'feature-x', service: '*', expectedRevision: '2' }],
  ])('a precondition on %s with the current state', (_what, edit) => {
    const model = world()
    const error = errorOf(() => model.write(edit))
    const isTenant = edit.op === 'apply-tenant'
    expect(error).toMatchObject({
      code: 'REVISION_CONFLICT',
      details: {
        currentRevision: isTenant ? '2' : '0',
        current: isTenant ? { name: 'feature-x', base: 'feature-w', revision: '2' } : null,
      },
    })
  })

  it('no precondition that holds', () => {
    const model = world()
    model.write({ ...applyEntry('feature-x', 'orders'), expectedRevision: '0' })
    model.write({ ...applyDocument('feature-x', '*', {}), expectedRevision: '0' })
    const revision = String(model.catalog.entry('feature-x', 'orders')?.revision)
    expect(
      model.write({ op: 'mask-entry', tenant: 'feature-x', service: 'orders', expectedRevision: revision }),
    ).toBeDefined()
  })
})

describe('tenantOfSpec', () => {
  it.each([
    ['feature-y', {}, { base: 'integration', stage: 'development', labels: {} }],
    ['feature-y', { base: null }, { base: null, stage: 'development', labels: {} }],
    ['load', { stage: 'performance' }, { base: null, stage: 'performance', labels: {} }],
    ['production', { labels: { a: 'b' } }, { base: null, stage: 'production', labels: { a: 'b' } }],
  ] as const)('makes of %s with %j the tenant %j', (tenant, spec, expected) => {
    const model = world()
    model.write({ op: 'apply-tenant', tenant, spec })
    expect(model.catalog.tenant(tenant)).toMatchObject(expected)
  })
})

const tenants = ['integration', 'feature-w', 'feature-x', 'feature-y']
const anyTenant = fc.constantFrom(...tenants)
const anyService = fc.constantFrom('orders', 'stock')
const anyData = fc.dictionary(
  fc.constantFrom('a', 'b'),
  fc.oneof(fc.integer(), fc.constant(null), fc.constant({ c: 1 })),
)
const anyEdit = fc.oneof(
  fc.tuple(anyTenant, fc.option(anyTenant)).map(([tenant, base]) => applyTenant(tenant, base)),
  fc.record({
    op: fc.constant('delete-tenant' as const),
    tenant: anyTenant,
    dependents: fc.constantFrom('refuse' as const, 'reparent' as const),
  }),
  fc
    .tuple(anyTenant, anyService, fc.constantFrom('h1', 'h2'))
    .map(([tenant, service, host]) => applyEntry(tenant, service, host)),
  fc.record({
    op: fc.constantFrom('mask-entry' as const, 'delete-entry' as const),
    tenant: anyTenant,
    service: anyService,
  }),
  fc.tuple(anyTenant, anyService, anyData).map(([tenant, service, data]) => applyDocument(tenant, service, data)),
  fc.record({ op: fc.constant('patch-document' as const), tenant: anyTenant, service: anyService, patch: anyData }),
  fc.record({ op: fc.constant('delete-document' as const), tenant: anyTenant, service: anyService }),
  fc.tuple(anyTenant, anyService).map(([tenant, service]) => registerInstance(tenant, service, 'i1')),
)

describe('recorded changes', () => {
  it('undone newest first lead back to the state of every earlier revision, across deletions too', () => {
    fc.assert(
      fc.property(fc.array(fc.array(anyEdit, { minLength: 1, maxLength: 4 }), { maxLength: 15 }), (writes) => {
        const model = world()
        const states = new Map(
          tenants.map((tenant) => [`${tenant}@${model.revision}`, stateNow(model.catalog, tenant)]),
        )
        for (const edits of writes) {
          if (codeOf(() => model.write(...edits)) !== undefined) continue
          for (const tenant of tenants) states.set(`${tenant}@${model.revision}`, stateNow(model.catalog, tenant))
        }
        for (const [key, state] of states) {
          const [tenant = '', revision = '0'] = key.split('@')
          const later = model.history(tenant).filter((item) => item.revision > BigInt(revision))
          const undone = undoChanges(
            stateNow(model.catalog, tenant),
            later.flatMap(({ record }) => record.changes),
          )
          expect(undone).toEqual(state)
        }
      }),
      { numRuns: 150 },
    )
  })

  it('never leave a tenant without its base, in a cycle or in too long a chain', () => {
    fc.assert(
      fc.property(fc.array(anyEdit, { maxLength: 40 }), (edits) => {
        const model = world()
        for (const edit of edits) codeOf(() => model.write(edit))
        for (const { name } of model.catalog.tenants()) {
          const seen = new Set<string>()
          for (let at: string | null = name; at !== null; at = model.catalog.tenant(at)?.base ?? null) {
            expect(seen.has(at)).toBe(false)
            expect(model.catalog.tenant(at)).toBeDefined()
            seen.add(at)
          }
          expect(seen.size).toBeLessThanOrEqual(8)
        }
      }),
    )
  })
})
