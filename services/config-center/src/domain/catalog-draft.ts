import { canonicalJson, type DocumentData, type JsonSchema, type RecordedChange, type Stage } from '@tributary/contract'
import type { CatalogReader } from './catalog.js'
import { DECLARED_INSTANCE, documentKey, grayKey, registrationKey, schemaKey, tenantKey } from './keys.js'
import type { GrayRecord, GrayValue, Registration, RegistrationRecord, TenantRecord } from './records.js'

/** A tenant without its name and stamp: what a write of it sets. */
export interface TenantValue {
  readonly base: string | null
  readonly stage: Stage
  readonly labels: Readonly<Record<string, string>>
}

/** One key of the store that a write touches; null is absent. */
export interface Slot<Value = unknown> {
  readonly kind: RecordedChange['kind']
  readonly tenant: string
  /** As history names it: tenant, service, `service/instance`, or document. */
  readonly name: string
  readonly key: string
  readonly before: Value | null
  after: Value | null
  readonly leaseBefore?: string
  leaseId?: string
}

/**
 * A catalog with a write's edits laid over it, not yet committed. Reading a thing takes its slot; a slot that ends as it
 * began is not written.
 */
export class CatalogDraft {
  readonly #tenants = new Map<string, Slot<TenantValue>>()
  readonly #registrations = new Map<string, Slot<Registration>>()
  readonly #documents = new Map<string, Slot<DocumentData>>()
  readonly #schemas = new Map<string, Slot<JsonSchema>>()
  readonly #gray = new Map<string, Slot<GrayValue>>()

  constructor(readonly catalog: CatalogReader) {}

  /** The tenant as the draft has it; undefined when it does not exist. */
  findTenant(name: string): TenantValue | undefined {
    const slot = this.#tenants.get(name)
    return slot === undefined ? this.catalog.tenant(name) : (slot.after ?? undefined)
  }

  tenant(name: string): Slot<TenantValue> {
    return getOrAdd(this.#tenants, name, () => {
      const before = tenantValue(this.catalog.tenant(name))
      return { kind: 'tenant', tenant: name, name, key: tenantKey(name), before, after: before }
    })
  }

  /** The registration that a deployer declared. */
  declared(tenant: string, service: string): Slot<Registration> {
    return this.registration(tenant, service, DECLARED_INSTANCE)
  }

  registration(tenant: string, service: string, instance: string): Slot<Registration> {
    const key = registrationKey(tenant, service, instance)
    return getOrAdd(this.#registrations, key, () => {
      const record = this.catalog.registrations(tenant, service).get(instance)
      const before = registrationValue(record)
      const name = instance === DECLARED_INSTANCE ? service : `${service}/${instance}`
      const lease = record?.leaseId === undefined ? {} : { leaseBefore: record.leaseId, leaseId: record.leaseId }
      return { kind: 'entry', tenant, name, key, before, after: before, ...lease }
    })
  }

  /** Slots of every registration of an entry. */
  registrations(tenant: string, service: string): Slot<Registration>[] {
    const known = [...this.catalog.registrations(tenant, service).keys()]
    for (const instance of known) this.registration(tenant, service, instance)
    const prefix = registrationKey(tenant, service, '')
    return [...this.#registrations.values()].filter((slot) => slot.key.startsWith(prefix))
  }

  document(tenant: string, service: string): Slot<DocumentData> {
    const key = documentKey(tenant, service)
    return getOrAdd(this.#documents, key, () => {
      const before = this.catalog.document(tenant, service)?.data ?? null
      return { kind: 'document', tenant, name: service, key, before, after: before }
    })
  }

  schema(tenant: string, service: string): Slot<JsonSchema> {
    const key = schemaKey(tenant, service)
    return getOrAdd(this.#schemas, key, () => {
      const before = this.catalog.schema(tenant, service)?.schema ?? null
      return { kind: 'schema', tenant, name: service, key, before, after: before }
    })
  }

  gray(tenant: string, service: string): Slot<GrayValue> {
    const key = grayKey(tenant, service)
    return getOrAdd(this.#gray, key, () => {
      const before = grayValue(this.catalog.gray(tenant, service))
      return { kind: 'gray', tenant, name: service, key, before, after: before }
    })
  }

  /** Takes away a tenant with everything that it has. */
  removeTenant(name: string): void {
    for (const service of this.catalog.entriesOf(name).keys()) this.registrations(name, service)
    for (const service of this.catalog.documentsOf(name).keys()) this.document(name, service)
    for (const service of this.catalog.schemasOf(name).keys()) this.schema(name, service)
    for (const service of this.catalog.grayOf(name).keys()) this.gray(name, service)
    this.tenant(name)
    for (const slot of this.#slots()) if (slot.tenant === name) slot.after = null
  }

  /** Tenants whose base is `name` in the draft. */
  dependents(name: string): string[] {
    const candidates = new Set([...this.catalog.dependents(name), ...this.#tenants.keys()])
    return [...candidates].filter((candidate) => this.findTenant(candidate)?.base === name).sort()
  }

  /** The slots of one kind, changed or not. */
  registrationSlots(): readonly Slot<Registration>[] {
    return [...this.#registrations.values()]
  }

  documentSlots(): readonly Slot<DocumentData>[] {
    return [...this.#documents.values()]
  }

  graySlots(): readonly Slot<GrayValue>[] {
    return [...this.#gray.values()]
  }

  schemaSlots(): readonly Slot<JsonSchema>[] {
    return [...this.#schemas.values()]
  }

  /** The slots of tenants, changed or not. */
  tenantSlots(): readonly Slot<TenantValue>[] {
    return [...this.#tenants.values()]
  }

  /** The slots that differ from the catalog, tenants first. */
  changes(): readonly Slot[] {
    return this.#slots().filter(isChanged)
  }

  #slots(): Slot[] {
    return [
      ...this.#tenants.values(),
      ...this.#registrations.values(),
      ...this.#documents.values(),
      ...this.#schemas.values(),
      ...this.#gray.values(),
    ]
  }
}

/** Whether a write of the draft writes the slot. */
export function isChanged(slot: Slot): boolean {
  return slot.leaseBefore !== slot.leaseId || canonicalJson(slot.before) !== canonicalJson(slot.after)
}

function tenantValue(record: TenantRecord | undefined): TenantValue | null {
  return record === undefined ? null : { base: record.base, stage: record.stage, labels: record.labels }
}

function grayValue(record: GrayRecord | undefined): GrayValue | null {
  if (record === undefined) return null
  const { id, patch, instances, percent } = record
  return {
    id,
    patch,
    ...(instances === undefined ? {} : { instances }),
    ...(percent === undefined ? {} : { percent }),
  }
}

function registrationValue(record: RegistrationRecord | undefined): Registration | null {
  if (record === undefined) return null
  const { stamp: _stamp, ...value } = record.stored
  return value
}

function getOrAdd<V>(map: Map<string, V>, key: string, create: () => V): V {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = create()
  map.set(key, made)
  return made
}
