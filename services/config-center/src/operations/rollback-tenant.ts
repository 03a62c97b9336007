import type { RollbackRequest, SchemaMode, WriteNote } from '@tributary/contract'
import type { Principal } from '../domain/access.js'
import type { CatalogReader } from '../domain/catalog.js'
import type { CatalogEdit } from '../domain/edits.js'
import { rollbackEdits } from '../domain/rollback-edits.js'
import { stateNow } from '../domain/tenant-state.js'
import { failure } from '../errors.js'
import { commitDecided, type CheckedCommitResult } from './commit-changes.js'
import { getTenantRecord, type OperationContext } from './operation-context.js'
import { readTenantState } from './read-tenant-state.js'

/** A rollback with who asks for it. */
export interface TenantRollback {
  readonly tenant: string
  readonly request: RollbackRequest
  readonly principal: Principal
  readonly note: WriteNote
  readonly schemaMode?: SchemaMode | undefined
}

/**
 * Brings a tenant's documents, declared entries, or both back to what they were at a revision, as one new write that itself can be
 * rolled back. Leased instances and the tenant's own record stay as they are.
 * @throws AppError `TENANT_NOT_FOUND`, `REVISION_IN_FUTURE`, `TENANT_ABSENT_AT_REVISION`, and as `commitDecided`
 */
export function rollbackTenant(context: OperationContext, rollback: TenantRollback): Promise<CheckedCommitResult> {
  const { tenant, request, principal, note, schemaMode } = rollback
  const reason = note.reason ?? request.reason ?? `rollback to revision ${request.toRevision}`
  return commitDecided(context, {
    tenants: [tenant],
    decide: (catalog) => decideRollback(context, catalog, rollback),
    principal,
    note: { ...note, reason },
    schemaMode,
  })
}

/**
 * The edits that a rollback would make on the catalog as it is.
 * @throws AppError `TENANT_NOT_FOUND`, `REVISION_IN_FUTURE`, `TENANT_ABSENT_AT_REVISION`, `HISTORY_FORGOTTEN`
 */
export async function decideRollback(
  context: OperationContext,
  catalog: CatalogReader,
  { tenant, request }: Pick<TenantRollback, 'tenant' | 'request'>,
): Promise<readonly CatalogEdit[]> {
  getTenantRecord(catalog, tenant)
  const revision = BigInt(request.toRevision)
  const now = stateNow(catalog, tenant)
  const target = await readTenantState(context, catalog, { tenant, revision })
  if (target.tenant === null) {
    throw failure(
      'TENANT_ABSENT_AT_REVISION',
      `The tenant ${tenant} did not exist at revision ${revision}; name a revision of its history.`,
      { details: { tenant, revision: request.toRevision } },
    )
  }
  const { scope = 'documents', service } = request
  return rollbackEdits(now, target, { tenant, scope, ...(service === undefined ? {} : { service }) })
}
