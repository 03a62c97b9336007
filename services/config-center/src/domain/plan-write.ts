import type { RecordedChange, RefusedAttempts, TokenRole, WriteNote } from '@tributary/contract'
import type { Compare, Mutation, TransactRequest } from '@tributary/store'
import { applyEdits } from './apply-edits.js'
import { CatalogDraft, type Slot } from './catalog-draft.js'
import type { CatalogReader } from './catalog.js'
import type { CatalogEdit } from './edits.js'
import {
  TENANT_PREFIX,
  documentPrefix,
  entryPrefix,
  grayPrefix,
  headKey,
  historyKey,
  schemaPrefix,
  tenantKey,
  tokenKey,
} from './keys.js'
import type { WriteStamp } from './records.js'
import { draftChain } from './tenant-rules.js'

/** Who writes, when (epoch milliseconds) and why. */
export interface WriteContext {
  readonly actor: string
  readonly onBehalfOf?: string | undefined
  readonly at: number
  readonly note: WriteNote
  /** Ids of a tenant's tokens, at the catalog's revision: they go with the tenant. */
  readonly tokenIdsOf: (tenant: string) => readonly string[]
}

/** A history record as stored; its store revision is the key's `createRevision`. `at` is epoch milliseconds. */
export interface StoredHistoryRecord extends WriteNote {
  readonly at: number
  readonly actor: string
  readonly onBehalfOf?: string
  readonly changes: readonly RecordedChange[]
  /** In system histories only: tokens made or revoked. */
  readonly tokens?: readonly RecordedToken[]
  /** In system histories only: requests that were refused, and how many found no room among them. */
  readonly refused?: readonly RefusedAttempts[]
  readonly uncounted?: number
}

/** A token that was made or revoked, without its secret. */
export interface RecordedToken {
  readonly tokenId: string
  readonly name: string
  readonly role: TokenRole
  readonly tenant?: string
  readonly did: 'created' | 'deleted'
}

/**
 * The store transaction that makes the edits happen on `catalog`, or undefined when they change nothing. Pure.
 *
 * It compares with what the decision rests on, so that it fails when any of that has changed since:
 *
 * | read | compare |
 * | --- | --- |
 * | anything of a tenant that the edits name | the tenant's head |
 * | the chain of a tenant that is new or gets another base | each tenant record of it |
 * | who overlays a tenant that goes or gets another base | no tenant record is newer than the catalog |
 *
 * @throws AppError as {@link applyEdits}
 */
export function planWrite(
  catalog: CatalogReader,
  edits: readonly CatalogEdit[],
  context: WriteContext,
): TransactRequest | undefined {
  return planDraft(draftEdits(catalog, edits), edits, context)
}

/** The catalog with the edits laid over it. @throws AppError as {@link applyEdits} */
export function draftEdits(catalog: CatalogReader, edits: readonly CatalogEdit[]): CatalogDraft {
  const draft = new CatalogDraft(catalog)
  applyEdits(draft, edits)
  return draft
}

/** As {@link planWrite}, for edits that are laid over the catalog already. */
export function planDraft(
  draft: CatalogDraft,
  edits: readonly CatalogEdit[],
  context: WriteContext,
): TransactRequest | undefined {
  const { catalog } = draft
  const changes = draft.changes()
  if (changes.length === 0) return undefined
  const tenants = new Set([...edits, ...changes].map((item) => item.tenant))
  return {
    compares: [...headCompares(catalog, tenants), ...chainCompares(draft)],
    mutations: [...dataMutations(changes, context), ...historyMutations(catalog, changes, context)],
  }
}

function headCompares(catalog: CatalogReader, tenants: Iterable<string>): Compare[] {
  return [...tenants].map((tenant) => unchanged(headKey(tenant), catalog.head(tenant)))
}

function chainCompares(draft: CatalogDraft): Compare[] {
  const moved = draft.tenantSlots().filter((slot) => slot.before?.base !== slot.after?.base)
  const known = new Set<string>()
  for (const slot of moved)
    if (slot.after !== null) for (const tenant of draftChain(draft, slot.name)) known.add(tenant)
  const compares = [...known].map((tenant) =>
    unchanged(tenantKey(tenant), draft.catalog.tenant(tenant)?.revision ?? 0n),
  )
  // A tenant that is new has nobody that overlays it; for others, a dependent could appear unseen.
  if (moved.every((slot) => slot.before === null)) return compares
  const { storeRevision } = draft.catalog
  return [...compares, { select: { prefix: TENANT_PREFIX }, target: 'modRevision', op: '<=', value: storeRevision }]
}

function dataMutations(changes: readonly Slot[], context: WriteContext): Mutation[] {
  const deleted = new Set(
    changes.flatMap((slot) => (slot.kind === 'tenant' && slot.after === null ? [slot.tenant] : [])),
  )
  const stamp = stampOf(context)
  const kept = changes.filter((slot) => slot.kind === 'tenant' || !deleted.has(slot.tenant))
  return [
    ...kept.map((slot) => slotMutation(slot, stamp)),
    ...[...deleted].flatMap((tenant) => removalMutations(tenant, context)),
  ]
}

/** One operation for all entries and one for all documents: a large tenant must not exceed the store's number of operations. */
function removalMutations(tenant: string, context: WriteContext): Mutation[] {
  return [
    { kind: 'delete', select: { prefix: entryPrefix(tenant) } },
    { kind: 'delete', select: { prefix: documentPrefix(tenant) } },
    { kind: 'delete', select: { prefix: schemaPrefix(tenant) } },
    { kind: 'delete', select: { prefix: grayPrefix(tenant) } },
    ...context.tokenIdsOf(tenant).map((tokenId): Mutation => ({ kind: 'delete', select: { key: tokenKey(tokenId) } })),
  ]
}

function slotMutation(slot: Slot, stamp: WriteStamp): Mutation {
  if (slot.after === null) return { kind: 'delete', select: { key: slot.key } }
  const stored = storedOf(slot, stamp)
  const lease = slot.leaseId === undefined ? {} : { leaseId: slot.leaseId }
  return { kind: 'put', key: slot.key, value: JSON.stringify(stored), ...lease }
}

function storedOf({ kind, after }: Slot, stamp: WriteStamp): unknown {
  if (kind === 'document') return { data: after, stamp }
  if (kind === 'schema') return { schema: after, stamp }
  return { ...(after as object), stamp }
}

function historyMutations(catalog: CatalogReader, changes: readonly Slot[], context: WriteContext): Mutation[] {
  const byTenant = new Map<string, RecordedChange[]>()
  for (const slot of changes) {
    const { kind, tenant, name, before, after } = slot
    const recorded = byTenant.get(tenant) ?? []
    recorded.push({ kind, tenant, name, before, after })
    byTenant.set(tenant, recorded)
  }
  return [...byTenant].flatMap(([tenant, recorded]): Mutation[] => {
    const record: StoredHistoryRecord = { ...whoOf(context), ...context.note, changes: recorded }
    return [
      { kind: 'put', key: headKey(tenant), value: '{}' },
      { kind: 'put', key: historyKey(tenant, catalog.storeRevision), value: JSON.stringify(record) },
    ]
  })
}

function stampOf(context: WriteContext): WriteStamp {
  const { actor, ...who } = whoOf(context)
  const { runId } = context.note
  return { by: actor, ...who, ...(runId === undefined ? {} : { runId }) }
}

function whoOf({ actor, onBehalfOf, at }: WriteContext): Pick<StoredHistoryRecord, 'at' | 'actor' | 'onBehalfOf'> {
  return { actor, at, ...(onBehalfOf === undefined ? {} : { onBehalfOf }) }
}

function unchanged(key: string, revision: bigint): Compare {
  return { select: { key }, target: 'modRevision', op: '=', value: revision }
}
