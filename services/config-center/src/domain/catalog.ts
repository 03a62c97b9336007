import type { StoreEvent, StoreRevision, WatchBatch } from '@tributary/store'
import { DECLARED_INSTANCE, parseKey } from './keys.js'
import type {
  DocumentRecord,
  EntryRecord,
  StoredDocument,
  StoredRegistration,
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
  document(tenant: string, service: string): DocumentRecord | undefined
  documentsOf(tenant: string): ReadonlyMap<string, DocumentRecord>
}

/** What one batch changed, thing by thing. */
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

interface Registration {
  readonly stored: StoredRegistration
  readonly revision: StoreRevision
}

const NOTHING: ReadonlySet<string> = new Set()
const NO_ENTRIES: ReadonlyMap<string, EntryRecord> = new Map()
const NO_DOCUMENTS: ReadonlyMap<string, DocumentRecord> = new Map()

/** A catalog that follows the store batch by batch. Not safe to read while `applyBatch` runs; both are synchronous. */
export class Catalog implements CatalogReader {
  #storeRevision: StoreRevision = 0n
  readonly #tenants = new Map<string, TenantRecord>()
  readonly #dependents = new Map<string, Set<string>>()
  readonly #registrations = new Map<string, Map<string, Registration>>()
  readonly #entries = new Map<string, Map<string, EntryRecord>>()
  readonly #documents = new Map<string, Map<string, DocumentRecord>>()

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

  document(tenant: string, service: string): DocumentRecord | undefined {
    return this.#documents.get(tenant)?.get(service)
  }

  documentsOf(tenant: string): ReadonlyMap<string, DocumentRecord> {
    return this.#documents.get(tenant) ?? NO_DOCUMENTS
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
    if (before !== undefined && before.base !== null) this.#dependents.get(before.base)?.delete(name)
    const after = event.kind === 'put' ? tenantRecord(name, event) : undefined
    if (after === undefined) this.#tenants.delete(name)
    else {
      this.#tenants.set(name, after)
      if (after.base !== null) getOrAdd(this.#dependents, after.base, () => new Set<string>()).add(name)
    }
    return { kind: 'tenant', tenant: name, ...present(before, after) }
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

  #setRegistration(key: { tenant: string; service: string; instance: string }, event: StoreEvent): void {
    const path = `${key.tenant}/${key.service}`
    const registrations = getOrAdd(this.#registrations, path, () => new Map<string, Registration>())
    if (event.kind === 'put') {
      const stored = JSON.parse(event.entry.value) as StoredRegistration
      registrations.set(key.instance, { stored, revision: event.entry.modRevision })
    } else registrations.delete(key.instance)
    if (registrations.size === 0) this.#registrations.delete(path)
  }

  #rebuildEntry(tenant: string, service: string): CatalogChange {
    const entries = getOrAdd(this.#entries, tenant, () => new Map<string, EntryRecord>())
    const before = entries.get(service)
    const registrations = this.#registrations.get(`${tenant}/${service}`)
    const after = registrations === undefined ? undefined : entryRecord(tenant, service, registrations)
    if (after === undefined) entries.delete(service)
    else entries.set(service, after)
    if (entries.size === 0) this.#entries.delete(tenant)
    return { kind: 'entry', tenant, service, ...present(before, after) }
  }
}

function entryRecord(tenant: string, service: string, registrations: ReadonlyMap<string, Registration>): EntryRecord {
  const ordered = [...registrations].sort(([left], [right]) => (left < right ? -1 : 1))
  const newest = ordered.reduce((max, [, item]) => (item.revision > max.revision ? item : max), ordered[0]![1])
  const declared = registrations.get(DECLARED_INSTANCE)
  const base = { tenant, service, revision: newest.revision, stamp: newest.stored.stamp }
  if (declared?.stored.state === 'masked') return { ...base, state: 'masked', endpoints: [], instances: [] }
  const specs = ordered.flatMap(([, item]) => (item.stored.state === 'present' ? [item.stored.spec] : []))
  const { version, commitSha, metadata } = specs[0]!
  return {
    ...base,
    state: 'present',
    endpoints: specs.flatMap((spec) => spec.endpoints),
    ...(version === undefined ? {} : { version }),
    ...(commitSha === undefined ? {} : { commitSha }),
    ...(metadata === undefined ? {} : { metadata }),
    instances: ordered.map(([instance]) => instance).filter((instance) => instance !== DECLARED_INSTANCE),
  }
}

type PutEvent = Extract<StoreEvent, { kind: 'put' }>

function tenantRecord(name: string, event: PutEvent): TenantRecord {
  return { ...(JSON.parse(event.entry.value) as StoredTenant), name, revision: event.entry.modRevision }
}

function documentRecord(tenant: string, service: string, event: PutEvent): DocumentRecord {
  return { ...(JSON.parse(event.entry.value) as StoredDocument), tenant, service, revision: event.entry.modRevision }
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
