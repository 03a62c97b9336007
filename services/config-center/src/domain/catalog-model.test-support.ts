import type { Change, WriteNote } from '@tributary/contract'
import type { KeySelector, Mutation, StoreEntry, StoreEvent, TransactRequest } from '@tributary/store'
import { Catalog, type CatalogReader } from './catalog.js'
import type { CatalogEdit } from './edits.js'
import { HISTORY_PREFIX } from './keys.js'
import { planWrite, type StoredHistoryRecord } from './plan-write.js'

/** Instant of every write in the model, epoch milliseconds. */
export const MODEL_TIME = Date.UTC(2026, 0, 1)

/** A catalog with the keys that it was made from, moved by planned writes: what a store and a mirror do, without either. */
export class CatalogModel {
  readonly catalog = new Catalog()
  readonly keys = new Map<string, StoreEntry>()
  revision = 0n

  /** Plans and applies edits; the plan, or undefined when nothing changes. */
  write(...edits: CatalogEdit[]): TransactRequest | undefined {
    return this.writeAs({ note: {} }, ...edits)
  }

  writeAs(options: { note: WriteNote; actor?: string }, ...edits: CatalogEdit[]): TransactRequest | undefined {
    const { note, actor = 'ci (deployer)' } = options
    const plan = planWrite(this.catalog, edits, {
      actor,
      at: MODEL_TIME,
      note,
      tokenIdsOf: (tenant) => [`${tenant}-token`],
    })
    if (plan !== undefined) this.apply(plan.mutations)
    return plan
  }

  /** Applies mutations as one revision. */
  apply(mutations: readonly Mutation[]): void {
    this.revision += 1n
    const events = mutations.flatMap((mutation) => this.#eventsOf(mutation))
    for (const event of events) {
      if (event.kind === 'put') this.keys.set(event.entry.key, event.entry)
      else this.keys.delete(event.key)
    }
    this.catalog.applyBatch({ storeRevision: this.revision, events })
  }

  /** A catalog made from the present keys alone. */
  rebuilt(): Catalog {
    const catalog = new Catalog()
    const events = [...this.keys.values()].map((entry): StoreEvent => ({ kind: 'put', entry }))
    catalog.applyBatch({ storeRevision: this.revision, events })
    return catalog
  }

  /** History of a tenant, newest first. */
  history(tenant: string): { revision: bigint; record: StoredHistoryRecord }[] {
    return [...this.keys.values()]
      .filter(({ key }) => key.startsWith(`${HISTORY_PREFIX}${tenant}/`))
      .sort((left, right) => (left.key < right.key ? -1 : 1))
      .map(({ createRevision, value }) => ({
        revision: createRevision,
        record: JSON.parse(value) as StoredHistoryRecord,
      }))
  }

  #eventsOf(mutation: Mutation): StoreEvent[] {
    if (mutation.kind === 'delete') {
      return [...this.keys.keys()]
        .filter((key) => isSelected(mutation.select, key))
        .map((key) => ({ kind: 'delete', key, modRevision: this.revision }))
    }
    const { key, value, leaseId } = mutation
    const previous = this.keys.get(key)
    const entry = {
      key,
      value,
      createRevision: previous?.createRevision ?? this.revision,
      modRevision: this.revision,
      version: (previous?.version ?? 0n) + 1n,
      ...(leaseId === undefined ? {} : { leaseId }),
    }
    return [{ kind: 'put', entry }]
  }
}

/** Everything that a catalog says, as plain data to compare. */
export function dump(catalog: CatalogReader, tenants: readonly string[], services: readonly string[]): unknown {
  return {
    storeRevision: catalog.storeRevision,
    tenants: [...catalog.tenants()].sort((left, right) => (left.name < right.name ? -1 : 1)),
    of: tenants.map((tenant) => ({
      tenant,
      record: catalog.tenant(tenant),
      dependents: [...catalog.dependents(tenant)].sort(),
      head: catalog.head(tenant),
      entries: new Map([...catalog.entriesOf(tenant)].sort()),
      documents: new Map([...catalog.documentsOf(tenant)].sort()),
      schemas: new Map([...catalog.schemasOf(tenant)].sort()),
      single: services.map((service) => [catalog.entry(tenant, service), catalog.document(tenant, service)]),
      registrations: services.map((service) => new Map([...catalog.registrations(tenant, service)].sort())),
    })),
  }
}

export function applyTenant(tenant: string, base?: string | null): Change {
  return { op: 'apply-tenant', tenant, spec: base === undefined ? {} : { base } }
}

export function applyEntry(tenant: string, service: string, host = `${tenant}-${service}`): Change {
  return {
    op: 'apply-entry',
    tenant,
    service,
    spec: { endpoints: [{ name: 'http', protocol: 'http', host, port: 80 }] },
  }
}

export function applyDocument(tenant: string, service: string, data: Record<string, unknown>): Change {
  return { op: 'apply-document', tenant, service, data }
}

export function registerInstance(tenant: string, service: string, instance: string): CatalogEdit {
  const spec = { endpoints: [{ name: 'http', protocol: 'http' as const, host: instance, port: 81 }] }
  return { op: 'register-instance', tenant, service, instance, spec, ttlSeconds: 15, leaseId: `lease-${instance}` }
}

function isSelected(select: KeySelector, key: string): boolean {
  return 'key' in select ? select.key === key : key.startsWith(select.prefix)
}
