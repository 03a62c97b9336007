import type { RollbackRequest } from '@tributary/contract'
import type { CatalogEdit } from './edits.js'
import type { TenantState } from './tenant-state.js'

/** What to bring back: documents (default), entries with their schemas, or all; of one service or all. */
export interface RollbackScope {
  readonly tenant: string
  readonly scope: NonNullable<RollbackRequest['scope']>
  readonly service?: string
}

/** The edits that bring `now` back to `target`. Things that are equal already are edited too: the write path drops them. */
export function rollbackEdits(
  now: TenantState,
  target: TenantState,
  { tenant, scope, service }: RollbackScope,
): CatalogEdit[] {
  const wanted = (name: string): boolean => service === undefined || service === name
  const documents = scope === 'entries' ? [] : names(now.documents, target.documents).filter(wanted)
  const entries = scope === 'documents' ? [] : names(now.entries, target.entries).filter(wanted)
  const schemas = scope === 'documents' ? [] : names(now.schemas, target.schemas).filter(wanted)
  return [
    ...schemas.map((name) => schemaEdit(target, tenant, name)),
    ...documents.map((name) => documentEdit(target, tenant, name)),
    ...entries.map((name) => entryEdit(target, tenant, name)),
  ]
}

function documentEdit(target: TenantState, tenant: string, service: string): CatalogEdit {
  const data = target.documents.get(service)
  return data === undefined
    ? { op: 'delete-document', tenant, service }
    : { op: 'apply-document', tenant, service, data }
}

function schemaEdit(target: TenantState, tenant: string, service: string): CatalogEdit {
  const schema = target.schemas.get(service)
  return schema === undefined
    ? { op: 'delete-schema', tenant, service }
    : { op: 'apply-schema', tenant, service, schema }
}

function entryEdit(target: TenantState, tenant: string, service: string): CatalogEdit {
  const registration = target.entries.get(service)
  if (registration === undefined) return { op: 'delete-declared', tenant, service }
  if (registration.state === 'masked') return { op: 'mask-entry', tenant, service }
  return { op: 'apply-entry', tenant, service, spec: registration.spec }
}

function names(left: ReadonlyMap<string, unknown>, right: ReadonlyMap<string, unknown>): string[] {
  return [...new Set([...left.keys(), ...right.keys()])].sort()
}
