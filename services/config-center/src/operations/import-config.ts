import type { SchemaMode, TenantConfig, WriteNote } from '@tributary/contract'
import type { Principal } from '../domain/access.js'
import type { CatalogReader } from '../domain/catalog.js'
import type { CatalogEdit } from '../domain/edits.js'
import { commitDecided, type CheckedCommitResult } from './commit-changes.js'
import { getTenantRecord, readCatalog, type OperationContext } from './operation-context.js'

/** What is to be a tenant's own documents. `prune`: those that it does not name are deleted; else they stay. */
export interface ConfigImport {
  readonly tenant: string
  readonly documents: TenantConfig['documents']
  readonly prune: boolean
}

/** An import with who asks for it. */
export interface ImportRequest extends ConfigImport {
  readonly principal: Principal
  readonly note: WriteNote
  readonly schemaMode?: SchemaMode | undefined
}

/**
 * Makes a tenant's documents what a file says, as one write.
 * @throws AppError `TENANT_NOT_FOUND`, `TRANSACTION_TOO_LARGE` (nothing is written then), and as `commitDecided`
 */
export function importConfig(context: OperationContext, request: ImportRequest): Promise<CheckedCommitResult> {
  const { note, ...rest } = request
  return commitDecided(context, {
    ...rest,
    note: { reason: 'import', ...note },
    tenants: [request.tenant],
    decide: async (catalog) => importEdits(catalog, request),
  })
}

/** The edits of an import. @throws AppError `TENANT_NOT_FOUND` */
export function importEdits(catalog: CatalogReader, { tenant, documents, prune }: ConfigImport): CatalogEdit[] {
  getTenantRecord(catalog, tenant)
  const absent = prune ? [...catalog.documentsOf(tenant).keys()].filter((name) => !Object.hasOwn(documents, name)) : []
  return [
    ...Object.entries(documents).map(([service, data]): CatalogEdit => ({
      op: 'apply-document',
      tenant,
      service,
      data,
    })),
    ...absent.map((service): CatalogEdit => ({ op: 'delete-document', tenant, service })),
  ]
}

/** A tenant's own documents as a file keeps them. @throws AppError `TENANT_NOT_FOUND` */
export async function exportConfig(context: OperationContext, tenant: string): Promise<TenantConfig> {
  const catalog = await readCatalog(context)
  getTenantRecord(catalog, tenant)
  const own = [...catalog.documentsOf(tenant).values()].sort((left, right) => (left.service < right.service ? -1 : 1))
  const documents = Object.fromEntries(own.map(({ service, data }) => [service, data]))
  return { apiVersion: 'tributary/v1', kind: 'TenantConfig', tenant, documents }
}
