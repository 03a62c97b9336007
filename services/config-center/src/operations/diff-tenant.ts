import type { Difference } from '@tributary/contract'
import type { StoreRevision } from '@tributary/store'
import { diffStates, diffViews } from '../domain/differences.js'
import { getTenantRecord, readCatalog, type OperationContext } from './operation-context.js'
import { readTenantState } from './read-tenant-state.js'

/** Differences with the revision up to which they are known. */
export interface DiffResult {
  readonly storeRevision: string
  readonly differences: Difference[]
}

/** Two moments of one tenant. No `toRevision`: now. */
export interface RevisionsToDiff {
  readonly tenant: string
  readonly fromRevision: StoreRevision
  readonly toRevision?: StoreRevision
}

/**
 * What a tenant's own record, entries and documents changed between two revisions, in either order. Works for deleted tenants.
 * @throws AppError `TENANT_NOT_FOUND`, `REVISION_IN_FUTURE`
 */
export async function diffRevisions(context: OperationContext, query: RevisionsToDiff): Promise<DiffResult> {
  const { tenant, fromRevision } = query
  const catalog = await readCatalog(context)
  const storeRevision = catalog.storeRevision
  if (catalog.head(tenant) === 0n) getTenantRecord(catalog, tenant)
  const before = await readTenantState(context, catalog, { tenant, revision: fromRevision })
  const after = await readTenantState(context, catalog, { tenant, revision: query.toRevision ?? storeRevision })
  return { storeRevision: String(storeRevision), differences: diffStates(tenant, before, after) }
}

/**
 * In what `tenant` sees other than `against`, now: `before` is what `against` sees.
 * @throws AppError `TENANT_NOT_FOUND`
 */
export async function diffTenants(context: OperationContext, tenant: string, against: string): Promise<DiffResult> {
  const catalog = await readCatalog(context)
  getTenantRecord(catalog, tenant)
  getTenantRecord(catalog, against)
  return { storeRevision: String(catalog.storeRevision), differences: diffViews(catalog, against, tenant) }
}
