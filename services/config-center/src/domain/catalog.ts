import type { StoreEvent, StoreRevision, WatchBatch } from '@tributary/store'
import { entryRecord } from './entry-record.js'
import { parseKey } from './keys.js'
import type {
  DocumentRecord,
  EntryRecord,
  GrayRecord,
  RegistrationRecord,
  SchemaRecord,
  StoredDocument,
  StoredGray,
  StoredRegistration,
  StoredSchema,
  StoredTenant,
  TenantRecord,
} from './records.js'

/** Everything that the config center knows at one store revision, readable in memory. */
export interface CatalogReader {
  readonly storeRevision: StoreRevision
  tenant(name: string): TenantRecord | undefined
  tenants(): Iterable<TenantRecord>
  /** Tenants whose base is `name`. */
  dependents(name: string): ReadonlySet<string>
  entry(tenant: string, service: string): EntryRecord | undefined
  entriesOf(tenant: string): ReadonlyMap<string, EntryRecord>
  /** What an entry is made of: its declared registration and its live leased instances, by instance. */
  registrations(tenant: string, service: string): ReadonlyMap<string, RegistrationRecord>
  document(tenant: string, service: string): DocumentRecord | undefined
  documentsOf(tenant: string): ReadonlyMap<string, DocumentRecord>
  /** The schema that came with the tenant's own copy of a service. */
  schema(tenant: string, service: string): SchemaRecord | undefined
  schemasOf(tenant: string): ReadonlyMap<string, SchemaRecord>
  /** The gray release of a tenant's own document of a service, if one is under way. */
  gray(tenant: string, service: string): GrayRecord | undefined
  grayOf(tenant: string): ReadonlyMap<string, GrayRecord>
  /** Whether any tenant has a schema: where none has, nothing need be checked. */
  readonly hasSchemas: boolean
  /**
   * Revision of the last recorded write to anything of the tenant; 0 when there was none. It outlives the tenant. Comparing with it
   * stands for comparing with everything that the tenant has, but for leases that end by themselves.
   */
  head(tenant: string): StoreRevision
  /** All that are known: deleted tenants' too, and those of system histories. */
  heads(): Iterable<readonly [tenant: string, revision: StoreRevision]>
}

/** What one batch changed, thing by thing. Schemas are not told: no view changes with them. */
export type CatalogChange =
  | { readonly kind: 'tenant'; readonly tenant: string; readonly before?: TenantRecord; readonly after?: TenantRecord }
  | {
      readonly kind: 'entry'
      readonly tenant: string
      readonly service: string
      readonly before?: EntryRecord
      readonly after?: EntryRecord
    }
  | {
      readonly kind: 'document'
      readonly tenant: string
      readonly service: string
      readonly before?: DocumentRecord
      readonly after?: DocumentRecord
    }
  | {
      readonly kind: 'gray'
      readonly tenant: string
      readonly service: string
      readonly before?: GrayRecord
      readonly after?: GrayRecord
    }

const NOTHING: ReadonlySet<string> = new Set()
const NO_ENTRIES: ReadonlyMap<string, EntryRecord> = new Map()
const NO_DOCUMENTS: ReadonlyMap<string, DocumentRecord> = new Map()
const NO_SCHEMAS: ReadonlyMap<string, SchemaRecord> = new Map()
const NO_GRAY: ReadonlyMap<string, GrayRecord> = new Map()
const NO_REGISTRATIONS: ReadonlyMap<string, RegistrationRecord> = new Map()

/** A catalog that follows the store batch by batch. Not safe to read while `applyBatch` runs; both are synchronous. */
export class Catalog implements CatalogReader {
  #storeRevision: StoreRevision = 0n
  readonly #tenants = new Map<string, TenantRecord>()
  readonly #dependents = new Map<string, Set<string>>()
  readonly #registrations = new Map<string, Map<string, RegistrationRecord>>()
  readonly #entries = new Map<string, Map<string, EntryRecord>>()
  readonly #documents = new Map<string, Map<string, DocumentRecord>>()
  readonly #schemas = new Map<string, Map<string, SchemaRecord>>()
  readonly #gray = new Map<string, Map<string, GrayRecord>>()
  readonly #heads = new Map<string, StoreRevision>()

  get storeRevision(): StoreRevision {
    return this.#storeRevision
  }

  tenant(name: string): TenantRecord | undefined {
    return this.#tenants.get(name)
  }

  tenants(): Iterable<TenantRecord> {
    return this.#tenants.values()
  }

  dependents(name: string): ReadonlySet<string> {
    return this.#dependents.get(name) ?? NOTHING
  }

  entry(tenant: string, service: string): EntryRecord | undefined {
    return this.#entries.get(tenant)?.get(service)
  }

  entriesOf(tenant: string): ReadonlyMap<string, EntryRecord> {
    return this.#entries.get(tenant) ?? NO_ENTRIES
  }

  registrations(tenant: string, service: string): ReadonlyMap<string, RegistrationRecord> {
    return this.#registrations.get(`${tenant}/${service}`) ?? NO_REGISTRATIONS
  }

  document(tenant: string, service: string): DocumentRecord | undefined {
    return this.#documents.get(tenant)?.get(service)
  }

  documentsOf(tenant: string): ReadonlyMap<string, DocumentRecord> {
    return this.#documents.get(tenant) ?? NO_DOCUMENTS
  }

  get hasSchemas(): boolean {
    return this.#schemas.size > 0
  }

  schema(tenant: string, service: string): SchemaRecord | undefined {
    return this.#schemas.get(tenant)?.get(service)
  }

  schemasOf(tenant: string): ReadonlyMap<string, SchemaRecord> {
    return this.#schemas.get(tenant) ?? NO_SCHEMAS
  }

  gray(tenant: string, service: string): GrayRecord | undefined {
    return this.#gray.get(tenant)?.get(service)
  }

  grayOf(tenant: string): ReadonlyMap<string, GrayRecord> {
    return this.#gray.get(tenant) ?? NO_GRAY
  }

  head(tenant: string): StoreRevision {
    return this.#heads.get(tenant) ?? 0n
  }

  heads(): Iterable<readonly [tenant: string, revision: StoreRevision]> {
    return this.#heads
  }

  /**
   * Moves to the batch's revision and says what changed. A thing that several keys make up (an entry and its instances)
   * is reported once, with its state before and after the whole batch.
   */
  applyBatch(batch: WatchBatch): CatalogChange[] {
    const changes: CatalogChange[] = []
    const touched = new Map<string, { tenant: string; service: string }>()
    for (const event of batch.events) {
      const key = event.kind === 'put' ? event.entry.key : event.key
      const parsed = parseKey(key)
      if (parsed === undefined) continue
      if (parsed.kind === 'registration') {
        this.#setRegistration(parsed, event)
        touched.set(`${parsed.tenant}/${parsed.service}`, parsed)
      } else if (parsed.kind === 'tenant') {
        changes.push(this.#setTenant(parsed.tenant, event))
      } else if (parsed.kind === 'head') {
        this.#setHead(parsed.tenant, event)
      } else if (parsed.kind === 'schema') {
        this.#setSchema(parsed.tenant, parsed.service, event)
      } else if (parsed.kind === 'gray') {
        changes.push(this.#setGray(parsed.tenant, parsed.service, event))
      } else {
        changes.push(this.#setDocument(parsed.tenant, parsed.service, event))
      }
    }
    for (const { tenant, service } of touched.values()) changes.push(this.#rebuildEntry(tenant, service))
    this.#storeRevision = batch.storeRevision
    return changes
  }

  #setTenant(name: string, event: StoreEvent): CatalogChange {
    const before = this.#tenants.get(name)
    if (before !== undefined && before.base !== null) this.#removeDependent(before.base, name)
    const after = event.kind === 'put' ? tenantRecord(name, event) : undefined
    if (after === undefined) this.#tenants.delete(name)
    else {
      this.#tenants.set(name, after)
      if (after.base !== null) getOrAdd(this.#dependents, after.base, () => new Set<string>()).add(name)
    }
    return { kind: 'tenant', tenant: name, ...present(before, after) }
  }

  #removeDependent(base: string, name: string): void {
    const dependents = this.#dependents.get(base)
    dependents?.delete(name)
    if (dependents?.size === 0) this.#dependents.delete(base)
  }

  #setHead(tenant: string, event: StoreEvent): void {
    if (event.kind === 'put') this.#heads.set(tenant, event.entry.modRevision)
    else this.#heads.delete(tenant)
  }

  #setDocument(tenant: string, service: string, event: StoreEvent): CatalogChange {
    const documents = getOrAdd(this.#documents, tenant, () => new Map<string, DocumentRecord>())
    const before = documents.get(service)
    const after = event.kind === 'put' ? documentRecord(tenant, service, event) : undefined
    if (after === undefined) documents.delete(service)
    else documents.set(service, after)
    if (documents.size === 0) this.#documents.delete(tenant)
    return { kind: 'document', tenant, service, ...present(before, after) }
  }

  #setSchema(tenant: string, service: string, event: StoreEvent): void {
    const schemas = getOrAdd(this.#schemas, tenant, () => new Map<string, SchemaRecord>())
    if (event.kind === 'put') schemas.set(service, schemaRecord(tenant, service, event))
    else schemas.delete(service)
    if (schemas.size === 0) this.#schemas.delete(tenant)
  }

  #setGray(tenant: string, service: string, event: StoreEvent): CatalogChange {
    const releases = getOrAdd(this.#gray, tenant, () => new Map<string, GrayRecord>())
    const before = releases.get(service)
    const after = event.kind === 'put' ? grayRecord(tenant, service, event) : undefined
    if (after === undefined) releases.delete(service)
    else releases.set(service, after)
    if (releases.size === 0) this.#gray.delete(tenant)
    return { kind: 'gray', tenant, service, ...present(before, after) }
  }

  #setRegistration(key: { tenant: string; service: string; instance: string }, event: StoreEvent): void {
    const path = `${key.tenant}/${key.service}`
    const registrations = getOrAdd(this.#registrations, path, () => new Map<string, RegistrationRecord>())
    if (event.kind === 'put') {
      const { value, modRevision, leaseId } = event.entry
      const stored = JSON.parse(value) as StoredRegistration
      const lease = leaseId === undefined ? {} : { leaseId }
      registrations.set(key.instance, { stored, revision: modRevision, ...lease })
    } else registrations.delete(key.instance)
    if (registrations.size === 0) this.#registrations.delete(path)
  }

  #rebuildEntry(tenant: string, service: string): CatalogChange {
    const entries = getOrAdd(this.#entries, tenant, () => new Map<string, EntryRecord>())
    const before = entries.get(service)
    const registrations = this.#registrations.get(`${tenant}/${service}`)
    const after = registrations === undefined ? undefined : entryRecord({ tenant, service }, registrations)
    if (after === undefined) entries.delete(service)
    else entries.set(service, after)
    if (entries.size === 0) this.#entries.delete(tenant)
    return { kind: 'entry', tenant, service, ...present(before, after) }
  }
}

type PutEvent = Extract<StoreEvent, { kind: 'put' }>

function tenantRecord(name: string, event: PutEvent): TenantRecord {
  return { ...(JSON.parse(event.entry.value) as StoredTenant), name, revision: event.entry.modRevision }
}

function documentRecord(tenant: string, service: string, event: PutEvent): DocumentRecord {
  return { ...(JSON.parse(event.entry.value) as StoredDocument), tenant, service, revision: event.entry.modRevision }
}

function schemaRecord(tenant: string, service: string, event: PutEvent): SchemaRecord {
  return { ...(JSON.parse(event.entry.value) as StoredSchema), tenant, service, revision: event.entry.modRevision }
}

function grayRecord(tenant: string, service: string, event: PutEvent): GrayRecord {
  return { ...(JSON.parse(event.entry.value) as StoredGray), tenant, service, revision: event.entry.modRevision }
}

function present<T>(before: T | undefined, after: T | undefined): { before?: T; after?: T } {
  return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = create()
  map.set(key, made)
  return made
}
