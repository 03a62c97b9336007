import type { DocumentData, JsonSchema, RecordedChange } from '@tributary/contract'
import type { TenantValue } from './catalog-draft.js'
import type { CatalogReader } from './catalog.js'
import { DECLARED_INSTANCE } from './keys.js'
import type { Registration } from './records.js'

/** What a tenant itself had at a revision: its record, declared entries, documents and schemas. Leased instances are not part of it. */
export interface TenantState {
  readonly tenant: TenantValue | null
  readonly entries: ReadonlyMap<string, Registration>
  readonly documents: ReadonlyMap<string, DocumentData>
  readonly schemas: ReadonlyMap<string, JsonSchema>
}

/** The tenant's state now. Nothing of it for a tenant that does not exist. */
export function stateNow(catalog: CatalogReader, name: string): TenantState {
  const record = catalog.tenant(name)
  const tenant = record === undefined ? null : { base: record.base, stage: record.stage, labels: record.labels }
  const entries = new Map<string, Registration>()
  for (const service of catalog.entriesOf(name).keys()) {
    const declared = catalog.registrations(name, service).get(DECLARED_INSTANCE)?.stored
    if (declared === undefined) continue
    const { stamp: _stamp, ...registration } = declared
    entries.set(service, registration)
  }
  const documents = new Map([...catalog.documentsOf(name)].map(([service, { data }]) => [service, data]))
  const schemas = new Map([...catalog.schemasOf(name)].map(([service, { schema }]) => [service, schema]))
  return { tenant, entries, documents, schemas }
}

/** The state before recorded changes, given the state after them. Changes of several writes go newest first. */
export function undoChanges(state: TenantState, changes: Iterable<RecordedChange>): TenantState {
  let { tenant } = state
  const entries = new Map(state.entries)
  const documents = new Map(state.documents)
  const schemas = new Map(state.schemas)
  for (const { kind, name, before } of changes) {
    if (kind === 'tenant') tenant = before as TenantValue | null
    else if (kind === 'document') restore(documents, name, before as DocumentData | null)
    else if (kind === 'schema') restore(schemas, name, before as JsonSchema | null)
    else if (kind === 'entry' && !name.includes('/')) restore(entries, name, before as Registration | null)
  }
  return { tenant, entries, documents, schemas }
}

function restore<V>(map: Map<string, V>, name: string, value: V | null): void {
  if (value === null) map.delete(name)
  else map.set(name, value)
}
