import { randomUUID } from 'node:crypto'
import type { GrayReleaseSpec, SchemaMode, WriteNote } from '@tributary/contract'
import type { Principal } from '../domain/access.js'
import type { CatalogReader } from '../domain/catalog.js'
import type { CatalogEdit } from '../domain/edits.js'
import { draftEdits } from '../domain/plan-write.js'
import type { GrayRecord } from '../domain/records.js'
import { requireSchemas } from '../domain/schema-check.js'
import { failure } from '../errors.js'
import { commitDecided, findViolations, type CheckedCommitResult } from './commit-changes.js'
import { getTenantRecord, type OperationContext } from './operation-context.js'

/** Which document of which tenant, and who asks. */
export interface GrayRequest {
  readonly tenant: string
  readonly service: string
  readonly principal: Principal
  readonly note: WriteNote
  readonly schemaMode?: SchemaMode | undefined
  readonly expectedRevision?: string
}

/**
 * Begins a gray release, or changes the one that is under way. What its promotion would bring is checked by schemas now.
 * @throws AppError `INVALID_REQUEST` (instances or percent, not both), and as `commitDecided`
 */
export async function applyGrayRelease(
  context: OperationContext,
  spec: GrayReleaseSpec,
  request: GrayRequest,
): Promise<CheckedCommitResult> {
  requireMembers(spec)
  const id = spec.draw ?? randomUUID()
  const edit: CatalogEdit = { op: 'apply-gray', ...placeOf(request), spec: withoutDraw(spec), id }
  return commitDecided(context, {
    ...request,
    tenants: [request.tenant],
    decide: async (catalog) => {
      requirePromotable(context, catalog, { spec, request })
      return [edit]
    },
  })
}

/**
 * Makes what some instances have the tenant's document: for the others it changes, in the same write the release ends.
 * @throws AppError `GRAY_RELEASE_NOT_FOUND`, and as `commitDecided`
 */
export function promoteGrayRelease(context: OperationContext, request: GrayRequest): Promise<CheckedCommitResult> {
  const { tenant, service } = request
  return commitDecided(context, {
    ...request,
    note: { reason: 'gray release promoted', ...request.note },
    tenants: [tenant],
    decide: async (catalog) => {
      const { patch } = getGray(catalog, tenant, service)
      return [
        { op: 'delete-gray', ...placeOf(request) },
        { op: 'patch-document', tenant, service, patch },
      ]
    },
  })
}

/**
 * Ends a gray release: every instance has what all others have.
 * @throws AppError `GRAY_RELEASE_NOT_FOUND`, and as `commitDecided`
 */
export function abortGrayRelease(context: OperationContext, request: GrayRequest): Promise<CheckedCommitResult> {
  return commitDecided(context, {
    ...request,
    note: { reason: 'gray release aborted', ...request.note },
    tenants: [request.tenant],
    decide: async (catalog) => {
      getGray(catalog, request.tenant, request.service)
      return [{ op: 'delete-gray', ...placeOf(request) }]
    },
  })
}

function placeOf({ tenant, service, expectedRevision }: GrayRequest) {
  return { tenant, service, ...(expectedRevision === undefined ? {} : { expectedRevision }) }
}

/** @throws AppError `GRAY_RELEASE_NOT_FOUND`, `TENANT_NOT_FOUND` */
export function getGray(catalog: CatalogReader, tenant: string, service: string): GrayRecord {
  getTenantRecord(catalog, tenant)
  const record = catalog.gray(tenant, service)
  if (record !== undefined) return record
  throw failure('GRAY_RELEASE_NOT_FOUND', `${tenant} has no gray release of ${service} under way; it may have ended.`, {
    details: { tenant, service },
  })
}

/** What is kept of a specification: what the share is drawn by is kept as the release’s id. */
export function withoutDraw({ draw: _draw, ...spec }: GrayReleaseSpec): Omit<GrayReleaseSpec, 'draw'> {
  return spec
}

/** @throws AppError `INVALID_REQUEST` */
export function requireMembers({ instances, percent }: GrayReleaseSpec): void {
  if ((instances === undefined) !== (percent === undefined)) return
  throw failure('INVALID_REQUEST', 'The gray release was not begun: it names instances or a percent, not both.', {
    details: { in: 'body', violations: [{ field: '/instances', type: 'absent', rule: 'instances or percent' }] },
  })
}

/** Tried as if it were promoted now. @throws AppError `SCHEMA_VIOLATION` and as `draftEdits` */
function requirePromotable(
  context: OperationContext,
  catalog: CatalogReader,
  { spec, request }: { readonly spec: GrayReleaseSpec; readonly request: GrayRequest },
): void {
  const { tenant, service, schemaMode = 'own' } = request
  const edits: CatalogEdit[] = [{ op: 'patch-document', tenant, service, patch: spec.patch }]
  requireSchemas(findViolations(context, draftEdits(catalog, edits), edits), schemaMode)
}
