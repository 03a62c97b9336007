import type { RecordedChange } from '@tributary/contract'
import type { StoreRevision } from '@tributary/store'
import type { CatalogReader } from '../domain/catalog.js'
import { stateNow, undoChanges, type TenantState } from '../domain/tenant-state.js'
import { failure } from '../errors.js'
import { requireReached, type OperationContext } from './operation-context.js'
import { readHistoryFloor } from './prune-history.js'
import { readHistory } from './read-history.js'

/** Which tenant, and when. */
export interface TenantStateQuery {
  readonly tenant: string
  readonly revision: StoreRevision
}

/**
 * What a tenant had at a revision: its state now with every later write undone. It rests on history records alone, so it works for
 * revisions that the store has compacted.
 * @throws AppError `REVISION_IN_FUTURE`, `HISTORY_FORGOTTEN`
 */
export async function readTenantState(
  context: OperationContext,
  catalog: CatalogReader,
  { tenant, revision }: TenantStateQuery,
): Promise<TenantState> {
  requireReached(catalog, revision)
  // Taken together, before the first wait: the catalog goes on while history is read.
  const [now, at] = [stateNow(catalog, tenant), catalog.storeRevision]
  const later: RecordedChange[] = []
  for await (const { storeRevision, record } of readHistory(context.store, tenant, { before: at + 1n })) {
    if (storeRevision <= revision) break
    later.push(...record.changes)
  }
  // Afterwards: records go from the old end, and the floor rises with them, also while they are read.
  await requireKnown(context, tenant, revision)
  return undoChanges(now, later)
}

async function requireKnown({ store }: OperationContext, tenant: string, revision: StoreRevision): Promise<void> {
  const floor = await readHistoryFloor(store, tenant)
  if (revision >= floor) return
  throw failure(
    'HISTORY_FORGOTTEN',
    `What ${tenant} was at revision ${revision} is not known any more; name revision ${floor} or a later one.`,
    { details: { tenant, revision: String(revision), knownFromRevision: String(floor) } },
  )
}
