import type { SchemaMode, SchemaViolation, WriteNote } from '@tributary/contract'
import type { TransactRequest } from '@tributary/store'
import { actorOf, type Principal } from '../domain/access.js'
import type { CatalogReader } from '../domain/catalog.js'
import type { CatalogDraft } from '../domain/catalog-draft.js'
import { DraftCatalog } from '../domain/draft-catalog.js'
import type { CatalogEdit } from '../domain/edits.js'
import { draftEdits, planDraft, type WriteContext } from '../domain/plan-write.js'
import { MAX_TOLD_VIOLATIONS, newViolations, requireSchemas, type SchemaFindings } from '../domain/schema-check.js'
import { ViewComparison } from '../domain/view-changes.js'
import { commitPlan, type CommitResult } from './commit-plan.js'
import type { OperationContext } from './operation-context.js'

/** Edits that happen together, with who makes them and why. */
export interface CommitRequest {
  readonly edits: readonly CatalogEdit[]
  readonly principal: Principal
  readonly note: WriteNote
  /** What becomes of a write that breaks schemas. Default `own`. */
  readonly schemaMode?: SchemaMode | undefined
}

/** A write whose edits are decided on the state that they are committed on. */
export interface DecidedCommitRequest extends Omit<CommitRequest, 'edits'> {
  /** The only tenants that the edits may name. */
  readonly tenants: readonly string[]
  readonly decide: (catalog: CatalogReader) => Promise<readonly CatalogEdit[]>
}

/** A commit with the places that break their schema since; at most 20. */
export interface CheckedCommitResult extends CommitResult {
  readonly warnings: readonly SchemaViolation[]
}

/**
 * The one way to change tenants, entries, documents and schemas: all edits at one store revision, with one history record for each
 * tenant that they change. Edits that are the state already write nothing.
 * @throws AppError as `draftEdits` and {@link commitPlan}; `SCHEMA_INVALID`, `SCHEMA_TIME_SPENT`, `SCHEMA_VIOLATION`
 */
export function commitChanges(context: OperationContext, request: CommitRequest): Promise<CheckedCommitResult> {
  const tenants = request.edits.map((edit) => edit.tenant)
  return commitDecided(context, { ...request, tenants, decide: async () => request.edits })
}

/** As {@link commitChanges}, with edits that are decided anew for each attempt. */
export async function commitDecided(
  context: OperationContext,
  request: DecidedCommitRequest,
): Promise<CheckedCommitResult> {
  let warnings: readonly SchemaViolation[] = []
  const plan = (catalog: CatalogReader, edits: readonly CatalogEdit[]): TransactRequest | undefined => {
    const draft = draftEdits(catalog, edits)
    const findings = findViolations(context, draft, edits)
    requireSchemas(findings, request.schemaMode ?? 'own')
    warnings = [...findings.own, ...findings.dependents].slice(0, MAX_TOLD_VIOLATIONS)
    return planDraft(draft, edits, writeContext(context, request))
  }
  const commit = await commitPlan(context, {
    tenants: request.tenants,
    plan: async (catalog) => plan(catalog, await request.decide(catalog)),
  })
  return { ...commit, warnings }
}

/**
 * What the draft's write would break of schemas. Synchronous, so that it sees one state of the catalog.
 * @throws AppError `SCHEMA_INVALID`: an edit brings a schema that nothing can be checked by. `SCHEMA_TIME_SPENT`
 */
export function findViolations(
  { schemas }: Pick<OperationContext, 'schemas'>,
  draft: CatalogDraft,
  edits: readonly CatalogEdit[],
): SchemaFindings {
  const checker = schemas.forWrite()
  for (const edit of edits) if (edit.op === 'apply-schema') checker.requireUsable(edit.schema, edit)
  const after = new DraftCatalog(draft)
  if (!after.hasSchemas) return { own: [], dependents: [] }
  const comparison = new ViewComparison(draft.catalog, after)
  return newViolations(checker, {
    comparison,
    draft,
    changes: after.changes,
    written: new Set(edits.map((edit) => edit.tenant)),
  })
}

function writeContext(context: OperationContext, request: Omit<CommitRequest, 'edits'>): WriteContext {
  return {
    actor: actorOf(request.principal),
    onBehalfOf: request.principal.onBehalfOf,
    at: context.clock.now(),
    note: request.note,
    tokenIdsOf: (tenant) => context.tokens.idsOf(tenant),
  }
}
