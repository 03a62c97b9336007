import type { StoreRevision } from '@tributary/store'
import { isChanged, type CatalogDraft, type Slot } from './catalog-draft.js'
import type { CatalogChange, CatalogReader } from './catalog.js'
import { entryRecord } from './entry-record.js'
import { DECLARED_INSTANCE } from './keys.js'
import type {
  DocumentRecord,
  EntryRecord,
  GrayRecord,
  Registration,
  RegistrationRecord,
  SchemaRecord,
  TenantRecord,
  WriteStamp,
} from './records.js'

/** Stamp of everything that a draft has changed: it has not been written. */
const UNWRITTEN: WriteStamp = { by: 'this write', at: 0 }

/**
 * The catalog as it would be after a draft's write, read as any other: what is not changed comes from the catalog that the draft lies
 * over. Do not change the draft, nor let the catalog move on, while it is read.
 */
export class DraftCatalog implements CatalogReader {
  readonly #base: CatalogReader
  readonly #tenants = new Map<string, TenantRecord | undefined>()
  readonly #dependents = new Map<string, ReadonlySet<string>>()
  readonly #registrations = new Map<string, ReadonlyMap<string, RegistrationRecord>>()
  readonly #entries = new Map<string, ReadonlyMap<string, EntryRecord>>()
  readonly #documents = new Map<string, ReadonlyMap<string, DocumentRecord>>()
  readonly #gray = new Map<string, ReadonlyMap<string, GrayRecord>>()
  readonly #schemas = new Map<string, ReadonlyMap<string, SchemaRecord>>()
  /** What the draft changes, as a batch of the store would say; but for gray releases, which most of a tenant's views do not show. */
  readonly changes: readonly CatalogChange[]

  constructor(draft: CatalogDraft) {
    this.#base = draft.catalog
    this.#takeTenants(draft)
    this.#takeEntries(draft)
    this.#takeDocuments(draft)
    this.#takeSchemas(draft)
    this.#takeGray(draft)
    this.changes = this.#describeChanges(draft)
  }

  /** That of the catalog below: the write has no revision yet. */
  get storeRevision(): StoreRevision {
    return this.#base.storeRevision
  }

  tenant(name: string): TenantRecord | undefined {
    return this.#tenants.has(name) ? this.#tenants.get(name) : this.#base.tenant(name)
  }

  *tenants(): Iterable<TenantRecord> {
    for (const record of this.#base.tenants()) if (!this.#tenants.has(record.name)) yield record
    for (const record of this.#tenants.values()) if (record !== undefined) yield record
  }

  dependents(name: string): ReadonlySet<string> {
    return this.#dependents.get(name) ?? this.#base.dependents(name)
  }

  entry(tenant: string, service: string): EntryRecord | undefined {
    return this.entriesOf(tenant).get(service)
  }

  entriesOf(tenant: string): ReadonlyMap<string, EntryRecord> {
    return this.#entries.get(tenant) ?? this.#base.entriesOf(tenant)
  }

  registrations(tenant: string, service: string): ReadonlyMap<string, RegistrationRecord> {
    return this.#registrations.get(`${tenant}/${service}`) ?? this.#base.registrations(tenant, service)
  }

  document(tenant: string, service: string): DocumentRecord | undefined {
    return this.documentsOf(tenant).get(service)
  }

  documentsOf(tenant: string): ReadonlyMap<string, DocumentRecord> {
    return this.#documents.get(tenant) ?? this.#base.documentsOf(tenant)
  }

  schema(tenant: string, service: string): SchemaRecord | undefined {
    return this.schemasOf(tenant).get(service)
  }

  schemasOf(tenant: string): ReadonlyMap<string, SchemaRecord> {
    return this.#schemas.get(tenant) ?? this.#base.schemasOf(tenant)
  }

  gray(tenant: string, service: string): GrayRecord | undefined {
    return this.grayOf(tenant).get(service)
  }

  grayOf(tenant: string): ReadonlyMap<string, GrayRecord> {
    return this.#gray.get(tenant) ?? this.#base.grayOf(tenant)
  }

  get hasSchemas(): boolean {
    return this.#base.hasSchemas || this.#schemas.size > 0
  }

  head(tenant: string): StoreRevision {
    return this.#base.head(tenant)
  }

  heads(): Iterable<readonly [tenant: string, revision: StoreRevision]> {
    return this.#base.heads()
  }

  get #revision(): StoreRevision {
    return this.#base.storeRevision + 1n
  }

  #takeTenants(draft: CatalogDraft): void {
    const moved = new Set<string>()
    for (const { name, before, after } of draft.tenantSlots().filter(isChanged)) {
      const record = after === null ? undefined : { ...after, name, stamp: UNWRITTEN, revision: this.#revision }
      this.#tenants.set(name, record)
      for (const base of [before?.base, after?.base]) if (typeof base === 'string') moved.add(base)
    }
    for (const base of moved) this.#dependents.set(base, new Set(draft.dependents(base)))
  }

  #takeEntries(draft: CatalogDraft): void {
    for (const slot of draft.registrationSlots().filter(isChanged)) {
      const [service = '', instance = DECLARED_INSTANCE] = slot.name.split('/')
      const { tenant } = slot
      const registrations = new Map(this.registrations(tenant, service))
      if (slot.after === null) registrations.delete(instance)
      else registrations.set(instance, this.#registration(slot, slot.after))
      this.#registrations.set(`${tenant}/${service}`, registrations)
      const entry = entryRecord({ tenant, service }, registrations)
      this.#entries.set(tenant, withMember(this.entriesOf(tenant), service, entry))
    }
  }

  #registration({ leaseId }: Slot, after: Registration): RegistrationRecord {
    const lease = leaseId === undefined ? {} : { leaseId }
    return { stored: { ...after, stamp: UNWRITTEN }, revision: this.#revision, ...lease }
  }

  #takeDocuments(draft: CatalogDraft): void {
    for (const { tenant, name, after } of draft.documentSlots().filter(isChanged)) {
      const unstored = { tenant, service: name, stamp: UNWRITTEN, revision: this.#revision }
      const record = after === null ? undefined : { ...unstored, data: after }
      this.#documents.set(tenant, withMember(this.documentsOf(tenant), name, record))
    }
  }

  #takeSchemas(draft: CatalogDraft): void {
    for (const { tenant, name, after } of draft.schemaSlots().filter(isChanged)) {
      const unstored = { tenant, service: name, stamp: UNWRITTEN, revision: this.#revision }
      const record = after === null ? undefined : { ...unstored, schema: after }
      this.#schemas.set(tenant, withMember(this.schemasOf(tenant), name, record))
    }
  }

  #takeGray(draft: CatalogDraft): void {
    for (const { tenant, name, after } of draft.graySlots().filter(isChanged)) {
      const unstored = { tenant, service: name, stamp: UNWRITTEN, revision: this.#revision }
      const record = after === null ? undefined : { ...unstored, ...after }
      this.#gray.set(tenant, withMember(this.grayOf(tenant), name, record))
    }
  }

  #describeChanges(draft: CatalogDraft): CatalogChange[] {
    const tenants = [...this.#tenants.keys()].map((tenant): CatalogChange => {
      return { kind: 'tenant', tenant, ...present(this.#base.tenant(tenant), this.tenant(tenant)) }
    })
    const entries = [...this.#registrations.keys()].map((path): CatalogChange => {
      const [tenant = '', service = ''] = path.split('/')
      const records = present(this.#base.entry(tenant, service), this.entry(tenant, service))
      return { kind: 'entry', tenant, service, ...records }
    })
    const documents = draft.documentSlots().filter(isChanged)
    return [
      ...tenants,
      ...entries,
      ...documents.map(({ tenant, name: service }): CatalogChange => {
        const records = present(this.#base.document(tenant, service), this.document(tenant, service))
        return { kind: 'document', tenant, service, ...records }
      }),
    ]
  }
}

/** Copies: a tenant has few things beside the one that changes, and a write changes few. */
function withMember<V>(map: ReadonlyMap<string, V>, name: string, value: V | undefined): ReadonlyMap<string, V> {
  const copy = new Map(map)
  if (value === undefined) copy.delete(name)
  else copy.set(name, value)
  return copy
}

function present<T>(before: T | undefined, after: T | undefined): { before?: T; after?: T } {
  return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }
}
