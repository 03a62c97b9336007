import type { Mutation, StoreEntry, StoreEvent, WatchBatch } from '@tributary/store'
import fc from 'fast-check'
import { DECLARED_INSTANCE, documentKey, grayKey, registrationKey, tenantKey } from '../domain/keys.js'
import type { StoredDocument, StoredGray, StoredRegistration, StoredTenant } from '../domain/records.js'

/** One key written (`value`) or deleted (no `value`). */
export interface KeyWrite {
  readonly key: string
  readonly value?: string
}

/** In this order a tenant's base, if any, is one of those before it: so no write can make a cycle. */
export const TENANTS = ['integration', 'production', 'f1', 'f2', 'f3', 'f4'] as const
export const SERVICES = ['a', 'b', 'c'] as const

const stamp = { by: 'test', at: 0 }

export const putTenant = (tenant: string, base: string | null, labels: Record<string, string> = {}): KeyWrite => ({
  key: tenantKey(tenant),
  value: JSON.stringify({ base, stage: 'development', labels, stamp } satisfies StoredTenant),
})
export const dropTenant = (tenant: string): KeyWrite => ({ key: tenantKey(tenant) })

/** One registration of an entry. Default instance: the declared one. */
interface Registration {
  readonly tenant: string
  readonly service: string
  readonly port: number
  readonly instance?: string
}

const putRegistration = ({ tenant, service, port, instance = DECLARED_INSTANCE }: Registration): KeyWrite => {
  const endpoints = [{ name: 'http', protocol: 'http' as const, host: '127.0.0.1', port }]
  const stored: StoredRegistration = { state: 'present', spec: { endpoints, version: `v${port}` }, stamp }
  return { key: registrationKey(tenant, service, instance), value: JSON.stringify(stored) }
}
export const putEntry = (tenant: string, service: string, port: number): KeyWrite =>
  putRegistration({ tenant, service, port })
export const maskEntry = (tenant: string, service: string): KeyWrite => ({
  key: registrationKey(tenant, service, DECLARED_INSTANCE),
  value: JSON.stringify({ state: 'masked', stamp } satisfies StoredRegistration),
})
export const dropEntry = (tenant: string, service: string, instance = DECLARED_INSTANCE): KeyWrite => ({
  key: registrationKey(tenant, service, instance),
})

export const putDocument = (tenant: string, service: string, data: Record<string, unknown>): KeyWrite => ({
  key: documentKey(tenant, service),
  value: JSON.stringify({ data, stamp } satisfies StoredDocument),
})
export const dropDocument = (tenant: string, service: string): KeyWrite => ({ key: documentKey(tenant, service) })

export const INSTANCES = ['i-1', 'i-2', 'i-3'] as const

export const putGray = (tenant: string, service: string, value: Omit<StoredGray, 'stamp' | 'id'>): KeyWrite => ({
  key: grayKey(tenant, service),
  value: JSON.stringify({ id: 'one', ...value, stamp } satisfies StoredGray),
})
export const dropGray = (tenant: string, service: string): KeyWrite => ({ key: grayKey(tenant, service) })

const tenant = fc.constantFrom(...TENANTS)
const service = fc.constantFrom(...SERVICES)
const documentName = fc.constantFrom('*', ...SERVICES)
const port = fc.integer({ min: 1, max: 4 })
const instance = fc.constantFrom(DECLARED_INSTANCE, 'i-1', 'i-2')
const data = fc.dictionary(
  fc.constantFrom('x', 'y', '__proto__'),
  fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constant(null), fc.constant({ z: 1 }), fc.constant(['ü', -0])),
)

const tenantWrite = fc
  .tuple(fc.nat(TENANTS.length - 1), fc.nat(TENANTS.length), fc.constantFrom('1', '2'))
  .map(([position, basePosition, label]) => {
    const base = basePosition < position ? (TENANTS[basePosition] ?? null) : null
    return putTenant(TENANTS[position] ?? '', base, { label })
  })

const members = fc.oneof(
  fc.uniqueArray(fc.constantFrom(...INSTANCES), { minLength: 1 }).map((instances) => ({ instances })),
  fc.integer({ min: 1, max: 100 }).map((percent) => ({ percent })),
)

/** Any write of one key. Writes of the same value, orphans and missing bases happen too. */
export const keyWrite: fc.Arbitrary<KeyWrite> = fc.oneof(
  { weight: 3, arbitrary: tenantWrite },
  { weight: 1, arbitrary: tenant.map(dropTenant) },
  { weight: 5, arbitrary: fc.record({ tenant, service, port, instance }).map(putRegistration) },
  { weight: 1, arbitrary: fc.tuple(tenant, service).map((args) => maskEntry(...args)) },
  { weight: 3, arbitrary: fc.tuple(tenant, service, instance).map((args) => dropEntry(...args)) },
  { weight: 4, arbitrary: fc.tuple(tenant, documentName, data).map((args) => putDocument(...args)) },
  { weight: 2, arbitrary: fc.tuple(tenant, documentName).map((args) => dropDocument(...args)) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(tenant, service, data, members)
      .map(([name, what, patch, whom]) => putGray(name, what, { patch, ...whom })),
  },
  { weight: 2, arbitrary: fc.tuple(tenant, service).map((args) => dropGray(...args)) },
)

/** Writes that happen at one revision; each key at most once. */
export const revisionWrites = fc.uniqueArray(keyWrite, { minLength: 1, maxLength: 4, selector: ({ key }) => key })

/** Writes that make the usual world: two roots, feature tenants on the first, one stacked on another. */
export const usualWorld: readonly KeyWrite[] = [
  putTenant('integration', null),
  putTenant('production', null),
  putTenant('f1', 'integration'),
  putTenant('f2', 'integration'),
  putTenant('f3', 'f1'),
  putTenant('f4', 'production'),
  ...SERVICES.map((name, index) => putEntry('integration', name, index + 1)),
  putEntry('f1', 'a', 100),
  putDocument('integration', '*', { level: 1 }),
  putDocument('integration', 'a', { size: 1, list: [1] }),
]

/** The writes as mutations of a transaction. */
export function mutationsOf(writes: readonly KeyWrite[]): Mutation[] {
  return writes.map(({ key, value }) =>
    value === undefined ? { kind: 'delete', select: { key } } : { kind: 'put', key, value },
  )
}

/** A store's watch without a store: turns writes into batches. */
export class BatchMaker {
  readonly #entries = new Map<string, StoreEntry>()
  #revision = 0n

  next(writes: readonly KeyWrite[]): WatchBatch {
    this.#revision += 1n
    return { storeRevision: this.#revision, events: writes.flatMap((write) => this.#event(write)) }
  }

  #event({ key, value }: KeyWrite): StoreEvent[] {
    const before = this.#entries.get(key)
    const previous = before === undefined ? {} : { previous: before }
    if (value === undefined) {
      return this.#entries.delete(key) ? [{ kind: 'delete', key, modRevision: this.#revision, ...previous }] : []
    }
    const createRevision = before?.createRevision ?? this.#revision
    const entry = { key, value, createRevision, modRevision: this.#revision, version: (before?.version ?? 0n) + 1n }
    this.#entries.set(key, entry)
    return [{ kind: 'put', entry, ...previous }]
  }
}
