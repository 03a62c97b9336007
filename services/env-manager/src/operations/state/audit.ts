import { randomBytes } from 'node:crypto'
import type { AuditRecord } from '@tributary/contract'
import type { RevisionedStore } from '@tributary/store'
import { putJson } from './json-store.js'
import { stateKeys } from './keys.js'

/** Records that are kept at least; a few hundred more stand there at times. */
export const KEPT_AUDIT_RECORDS = 2000
/** About one id in 256 ends like this: the bound needs no counter, and is the same for all replicas. */
const PRUNE_ENDING = '00'

/** Adds a record. Ids sort by the moment they were made. Oldest records beyond {@link KEPT_AUDIT_RECORDS} go now and then. */
export async function addAuditRecord(
  store: RevisionedStore,
  { atMs, ...record }: Omit<AuditRecord, 'auditId' | 'at'> & { readonly atMs: number },
): Promise<void> {
  const auditId = `${atMs.toString(36).padStart(9, '0')}-${randomBytes(4).toString('hex')}`
  const full: AuditRecord = { auditId, at: new Date(atMs).toISOString(), ...record }
  await store.transact({ compares: [], mutations: [putJson(stateKeys.auditRecord(auditId), full)] })
  if (auditId.endsWith(PRUNE_ENDING)) await pruneAuditRecords(store)
}

/** Forgets the oldest records beyond {@link KEPT_AUDIT_RECORDS}. */
export async function pruneAuditRecords(store: RevisionedStore): Promise<void> {
  const { entries } = await store.range({ select: { prefix: stateKeys.audit } })
  for (const { key } of entries.slice(0, -KEPT_AUDIT_RECORDS)) {
    await store.transact({ compares: [], mutations: [{ kind: 'delete', select: { key } }] })
  }
}
