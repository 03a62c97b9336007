import { failure } from '../errors.js'
import type { CatalogDraft } from './catalog-draft.js'
import type { CatalogEdit } from './edits.js'
import { checkDocument, checkEntry, checkSchemaSize } from './limits.js'
import { isObject, mergePatch } from './merge-patch.js'
import { checkPrecondition } from './preconditions.js'
import { checkChains, tenantOfSpec } from './tenant-rules.js'

type EditOf<Op extends CatalogEdit['op']> = Extract<CatalogEdit, { op: Op }>
type Apply<Op extends CatalogEdit['op']> = (draft: CatalogDraft, edit: EditOf<Op>) => void

/**
 * Lays edits over a draft in order. Preconditions are about the state before the whole write, chain rules about the state after it,
 * so one write may create a base and what overlays it in either order.
 * @throws AppError `REVISION_CONFLICT`, `TENANT_NOT_FOUND`, `INVALID_TENANT`, `INVALID_TRANSACTION`, `BASE_NOT_FOUND`, `TENANT_CYCLE`,
 * `CHAIN_TOO_LONG`, `TENANT_HAS_DEPENDENTS`, `DOCUMENT_TOO_LARGE`, `ENTRY_TOO_LARGE`
 */
export function applyEdits(draft: CatalogDraft, edits: readonly CatalogEdit[]): void {
  const deleted = new Set<string>()
  for (const edit of edits) {
    if (deleted.has(edit.tenant)) throw changedAfterDelete(edit)
    checkPrecondition(draft.catalog, edit)
    applyEdit(draft, edit)
    if (edit.op === 'delete-tenant') deleted.add(edit.tenant)
  }
  for (const tenant of deleted) checkNoDependents(draft, tenant)
  checkChains(draft)
}

function applyEdit<Op extends CatalogEdit['op']>(draft: CatalogDraft, edit: EditOf<Op>): void {
  if (edit.op !== 'apply-tenant') requireTenant(draft, edit)
  const apply = APPLY[edit.op] as Apply<Op>
  apply(draft, edit)
}

const APPLY: { readonly [Op in CatalogEdit['op']]: Apply<Op> } = {
  'apply-tenant': (draft, edit) => {
    draft.tenant(edit.tenant).after = tenantOfSpec(edit.tenant, edit.spec)
  },
  'delete-tenant': (draft, edit) => {
    if (edit.dependents === 'reparent') reparentDependents(draft, edit.tenant)
    draft.removeTenant(edit.tenant)
  },
  'apply-entry': (draft, edit) => {
    checkEntry(edit.spec, edit)
    draft.declared(edit.tenant, edit.service).after = { state: 'present', spec: edit.spec }
  },
  'mask-entry': (draft, edit) => {
    draft.declared(edit.tenant, edit.service).after = { state: 'masked' }
  },
  'delete-entry': (draft, edit) => {
    for (const slot of draft.registrations(edit.tenant, edit.service)) slot.after = null
  },
  'delete-declared': (draft, edit) => {
    draft.declared(edit.tenant, edit.service).after = null
  },
  'register-instance': (draft, edit) => {
    checkEntry(edit.spec, edit)
    const slot = draft.registration(edit.tenant, edit.service, edit.instance)
    slot.after = { state: 'present', spec: edit.spec, ttlSeconds: edit.ttlSeconds }
    slot.leaseId = edit.leaseId
  },
  'deregister-instance': (draft, edit) => {
    draft.registration(edit.tenant, edit.service, edit.instance).after = null
  },
  'apply-document': (draft, edit) => {
    checkDocument(edit.data, edit)
    draft.document(edit.tenant, edit.service).after = edit.data
  },
  'patch-document': (draft, edit) => {
    checkDocument(edit.patch, edit)
    const slot = draft.document(edit.tenant, edit.service)
    const patched = mergePatch(slot.after ?? {}, edit.patch)
    if (isObject(patched)) slot.after = patched
    checkDocument(patched, edit)
  },
  'delete-document': (draft, edit) => {
    draft.document(edit.tenant, edit.service).after = null
  },
  'apply-schema': (draft, edit) => {
    checkSchemaSize(edit.schema, edit)
    draft.schema(edit.tenant, edit.service).after = edit.schema
  },
  'apply-gray': (draft, edit) => {
    checkDocument(edit.spec.patch, edit)
    const slot = draft.gray(edit.tenant, edit.service)
    slot.after = { id: slot.after?.id ?? edit.id, ...edit.spec }
    const own = draft.document(edit.tenant, edit.service).after
    checkDocument(mergePatch(own ?? {}, edit.spec.patch), edit)
  },
  'delete-gray': (draft, edit) => {
    draft.gray(edit.tenant, edit.service).after = null
  },
  'delete-schema': (draft, edit) => {
    draft.schema(edit.tenant, edit.service).after = null
  },
}

function reparentDependents(draft: CatalogDraft, tenant: string): void {
  const base = draft.findTenant(tenant)?.base ?? null
  for (const dependent of draft.dependents(tenant)) {
    const slot = draft.tenant(dependent)
    if (slot.after !== null) slot.after = { ...slot.after, base }
  }
}

function requireTenant(draft: CatalogDraft, edit: CatalogEdit): void {
  if (draft.findTenant(edit.tenant) !== undefined) return
  throw failure('TENANT_NOT_FOUND', `${edit.op} on the tenant ${edit.tenant}, which does not exist; create it first.`, {
    details: { tenant: edit.tenant },
  })
}

function checkNoDependents(draft: CatalogDraft, tenant: string): void {
  const dependents = draft.dependents(tenant)
  if (dependents.length === 0) return
  throw failure(
    'TENANT_HAS_DEPENDENTS',
    `The tenant ${tenant} cannot be deleted: ${dependents.join(', ')} overlay it. Delete them first, or say dependents=reparent.`,
    { details: { tenant, dependents } },
  )
}

function changedAfterDelete(edit: CatalogEdit): Error {
  return failure(
    'INVALID_TRANSACTION',
    `${edit.op} names the tenant ${edit.tenant} after delete-tenant in the same transaction; write it in a transaction of its own.`,
    { details: { tenant: edit.tenant } },
  )
}
