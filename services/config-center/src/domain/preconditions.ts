import { failure } from '../errors.js'
import type { CatalogReader } from './catalog.js'
import { describeDocument, describeEntry, describeGray, describeTenant } from './describe.js'
import type { CatalogEdit } from './edits.js'

interface CurrentState {
  readonly what: string
  /** 0 when it does not exist. */
  readonly revision: bigint
  /** As the API shows it; null when it does not exist. */
  readonly state: unknown
}

/**
 * Checks an edit's `expectedRevision` against the state before the write.
 * @throws AppError `REVISION_CONFLICT` with the current state in `details.current`.
 */
export function checkPrecondition(catalog: CatalogReader, edit: CatalogEdit): void {
  if (!('expectedRevision' in edit) || edit.expectedRevision === undefined) return
  const current = currentState(catalog, edit)
  if (current.revision === BigInt(edit.expectedRevision)) return
  const is = current.revision === 0n ? 'does not exist' : `is at revision ${current.revision}`
  throw failure(
    'REVISION_CONFLICT',
    `${edit.op} expected ${current.what} at revision ${edit.expectedRevision}, but it ${is}; read it again and decide anew.`,
    {
      details: {
        expectedRevision: edit.expectedRevision,
        currentRevision: String(current.revision),
        current: current.state,
      },
    },
  )
}

function currentState(catalog: CatalogReader, edit: CatalogEdit): CurrentState {
  if (edit.op === 'apply-tenant' || edit.op === 'delete-tenant') return currentTenant(catalog, edit.tenant)
  if (edit.op.endsWith('-document')) return currentDocument(catalog, edit.tenant, edit.service)
  if (edit.op.endsWith('-schema')) return currentSchema(catalog, edit.tenant, edit.service)
  if (edit.op.endsWith('-gray')) return currentGray(catalog, edit.tenant, edit.service)
  return currentEntry(catalog, edit.tenant, edit.service)
}

function currentTenant(catalog: CatalogReader, tenant: string): CurrentState {
  const record = catalog.tenant(tenant)
  const state = record === undefined ? null : describeTenant(catalog, record)
  return { what: `the tenant ${tenant}`, revision: record?.revision ?? 0n, state }
}

function currentEntry(catalog: CatalogReader, tenant: string, service: string): CurrentState {
  const record = catalog.entry(tenant, service)
  const state = record === undefined ? null : describeEntry(record)
  return { what: `the entry ${service} of ${tenant}`, revision: record?.revision ?? 0n, state }
}

function currentSchema(catalog: CatalogReader, tenant: string, service: string): CurrentState {
  const record = catalog.schema(tenant, service)
  const state = record === undefined ? null : { schema: record.schema, revision: String(record.revision) }
  return { what: `the schema of ${service} in ${tenant}`, revision: record?.revision ?? 0n, state }
}

function currentGray(catalog: CatalogReader, tenant: string, service: string): CurrentState {
  const record = catalog.gray(tenant, service)
  const state = record === undefined ? null : describeGray(record)
  return { what: `the gray release of ${service} in ${tenant}`, revision: record?.revision ?? 0n, state }
}

function currentDocument(catalog: CatalogReader, tenant: string, service: string): CurrentState {
  const record = catalog.document(tenant, service)
  const state = record === undefined ? null : describeDocument(record)
  return { what: `the document ${service} of ${tenant}`, revision: record?.revision ?? 0n, state }
}
