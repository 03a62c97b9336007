import type { WriteNote } from '@tributary/contract'
import { actorOf, type Principal } from '../domain/access.js'
import type { CatalogReader } from '../domain/catalog.js'
import type { CatalogEdit } from '../domain/edits.js'
import { planWrite, type WriteContext } from '../domain/plan-write.js'
import { commitPlan, type CommitResult } from './commit-plan.js'
import type { OperationContext } from './operation-context.js'

/** Edits that happen together, with who makes them and why. */
export interface CommitRequest {
  readonly edits: readonly CatalogEdit[]
  readonly principal: Principal
  readonly note: WriteNote
}

/** A write whose edits are decided on the state that they are committed on. */
export interface DecidedCommitRequest extends Omit<CommitRequest, 'edits'> {
  /** The only tenants that the edits may name. */
  readonly tenants: readonly string[]
  readonly decide: (catalog: CatalogReader) => Promise<readonly CatalogEdit[]>
}

/**
 * The one way to change tenants, entries and documents: all edits at one store revision, with one history record for each tenant that
 * they change. Edits that are the state already write nothing.
 * @throws AppError as `planWrite` and {@link commitPlan}
 */
export function commitChanges(context: OperationContext, request: CommitRequest): Promise<CommitResult> {
  return commitPlan(context, {
    tenants: request.edits.map((edit) => edit.tenant),
    plan: (catalog) => planWrite(catalog, request.edits, writeContext(context, request)),
  })
}

/** As {@link commitChanges}, with edits that are decided anew for each attempt. */
export function commitDecided(context: OperationContext, request: DecidedCommitRequest): Promise<CommitResult> {
  return commitPlan(context, {
    tenants: request.tenants,
    plan: async (catalog) => planWrite(catalog, await request.decide(catalog), writeContext(context, request)),
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
