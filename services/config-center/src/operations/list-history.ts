import type { HistoryRecord, RecordedChange } from '@tributary/contract'
import type { StoreRevision } from '@tributary/store'
import { getTenantRecord, readCatalog, type OperationContext } from './operation-context.js'
import { describeHistory, readHistory } from './read-history.js'

/** Which records: at most `limit`, of writes before the revision `before`, of writes that changed `service`. */
export interface HistoryQuery {
  readonly tenant: string
  readonly limit: number
  readonly before?: StoreRevision
  readonly service?: string
}

/**
 * A tenant's history, newest first. A deleted tenant's can still be read.
 * @throws AppError `TENANT_NOT_FOUND` when the tenant neither exists nor ever did.
 */
export async function listHistory(
  context: OperationContext,
  query: HistoryQuery,
): Promise<{ storeRevision: string; records: HistoryRecord[] }> {
  const catalog = await readCatalog(context)
  const storeRevision = String(catalog.storeRevision)
  if (catalog.head(query.tenant) === 0n) getTenantRecord(catalog, query.tenant)
  const records: HistoryRecord[] = []
  for await (const entry of readHistory(context.store, query.tenant, { before: query.before })) {
    if (query.service !== undefined && !entry.record.changes.some((change) => isOf(change, query.service))) continue
    records.push(describeHistory(entry))
    if (records.length >= query.limit) break
  }
  return { storeRevision, records }
}

function isOf(change: RecordedChange, service: string | undefined): boolean {
  return change.kind !== 'tenant' && (change.name === service || change.name.startsWith(`${service}/`))
}
