import type { AuditRecord } from '@tributary/contract'
import type { RevisionedStore } from '@tributary/store'
import { listJson } from './state/json-store.js'
import { stateKeys } from './state/keys.js'

/** Which records are asked for. */
export interface AuditQuery {
  readonly environment?: string
  /** Only records older than this one: pages on. */
  readonly before?: string
  readonly limit: number
}

/** Who asked for what, newest first. */
export async function listAudit(
  store: RevisionedStore,
  { environment, before, limit }: AuditQuery,
): Promise<readonly AuditRecord[]> {
  const records = (await listJson<AuditRecord>(store, stateKeys.audit)).map(({ value }) => value).reverse()
  return records
    .filter((record) => environment === undefined || record.environment === environment)
    .filter((record) => before === undefined || record.auditId < before)
    .slice(0, limit)
}
