import { setImmediate as endOfTurn } from 'node:timers/promises'
import { backoffMs, isAppError } from '@tributary/kit'
import type { StoreRevision, TransactRequest, TransactResult } from '@tributary/store'
import type { CatalogReader } from '../domain/catalog.js'
import { failure } from '../errors.js'
import { readCatalog, timeoutsOf, type OperationContext } from './operation-context.js'

/** Attempts before a write gives up against writers on other replicas. */
const MAX_ATTEMPTS = 12
const RETRY = { initialMs: 4, maxMs: 250 }
/** How long an acknowledged write waits for this replica to see it. */
const FOLLOW_TIMEOUT_MS = 2_000

/** A transaction that may have to be planned again. */
export interface PlannedCommit {
  /** Tenants whose heads the plan compares with. */
  readonly tenants: readonly string[]
  /** Plans on the newest state; undefined: nothing to change. Called again when the state changed before the commit. */
  readonly plan: (catalog: CatalogReader) => TransactRequest | undefined | Promise<TransactRequest | undefined>
}

/** `storeRevision` is the write's own when `changed`, else the current one. */
export interface CommitResult {
  readonly storeRevision: StoreRevision
  readonly changed: boolean
}

/**
 * Plans on the current state, commits, and resolves once this replica's catalog shows the write and its subscribers' frames are being
 * written. When another writer was first, the plan is made anew from what is there then: its own rules decide whether the write still
 * makes sense.
 * @throws AppError what `plan` throws; `WRITE_CONTENTION`, `WRITE_OUTCOME_UNKNOWN`, `TRANSACTION_TOO_LARGE`, `STORE_FULL`,
 * `STORE_UNAVAILABLE`
 */
export async function commitPlan(context: OperationContext, commit: PlannedCommit): Promise<CommitResult> {
  const tenants = [...new Set(commit.tenants)].sort()
  const result = await inTurn(context, tenants, () => commitAtLast(context, tenants, commit))
  // Frames go out at the end of the turn in which the catalog changes. The answer before them would hold up all who wait for the
  // value, here and, as it wakes the writer, on the processor that they share with it.
  if (result.changed) await endOfTurn()
  return result
}

/** Attempts until nobody else was first. */
async function commitAtLast(
  context: OperationContext,
  tenants: readonly string[],
  commit: PlannedCommit,
): Promise<CommitResult> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const result = await attemptCommit(context, tenants, commit.plan)
    if (result !== undefined) return result
    await context.clock.sleep(backoffMs(attempt, RETRY))
  }
  throw failure(
    'WRITE_CONTENTION',
    `Other writers changed ${tenants.join(', ')} during each of ${MAX_ATTEMPTS} attempts; nothing was written; try again.`,
    { details: { tenants } },
  )
}

/** Nested in the order of names, so that two writes that share tenants cannot wait for each other. */
function inTurn<T>(context: OperationContext, tenants: readonly string[], work: () => Promise<T>): Promise<T> {
  return tenants.reduceRight((inner, tenant) => () => context.turns.run(tenant, inner), work)()
}

/** Undefined when another writer was first. */
async function attemptCommit(
  context: OperationContext,
  tenants: readonly string[],
  plan: PlannedCommit['plan'],
): Promise<CommitResult | undefined> {
  const catalog = await readCatalog(context)
  const heads = tenants.map((tenant) => catalog.head(tenant))
  const request = await plan(catalog)
  // The catalog moves in place: a plan that had to wait may have read two states.
  if (tenants.some((tenant, index) => catalog.head(tenant) !== heads[index])) return undefined
  if (request === undefined) return { storeRevision: catalog.storeRevision, changed: false }
  const { succeeded, storeRevision } = await transact(context, request)
  if (!succeeded) return undefined
  await follow(context, storeRevision)
  return { storeRevision, changed: true }
}

async function transact(context: OperationContext, request: TransactRequest): Promise<TransactResult> {
  try {
    return await context.store.transact(request, { signal: AbortSignal.timeout(timeoutsOf(context).writeMs) })
  } catch (error) {
    if (isAppError(error, 'STORE_UNAVAILABLE') || isTimeout(error)) throw outcomeUnknown(error)
    if (isAppError(error, 'STORE_TOO_LARGE')) throw tooLarge(request, error)
    throw error
  }
}

/** The write is acknowledged whatever happens here: a replica that lags must not turn it into a failure. */
async function follow(context: OperationContext, storeRevision: StoreRevision): Promise<void> {
  if (context.live.catalog.storeRevision >= storeRevision) return
  const signal = AbortSignal.timeout(FOLLOW_TIMEOUT_MS)
  await context.live.waitFor(storeRevision, { signal }).catch(() => undefined)
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError'
}

function outcomeUnknown(cause: unknown): Error {
  return failure(
    'WRITE_OUTCOME_UNKNOWN',
    'The store went away during the write, which may or may not have happened. Send it again: what is there already is not written twice.',
    { cause },
  )
}

function tooLarge(request: TransactRequest, cause: unknown): Error {
  return failure(
    'TRANSACTION_TOO_LARGE',
    'The write, with its history record, is more than one transaction of the store takes. Split it: fewer changes at once; before a tenant is deleted, some of its documents.',
    { cause, details: { operations: request.compares.length + request.mutations.length } },
  )
}
