import { MAX_AUDIT_CHANGES, type AuditedChange, type ConfigAuditRecord } from '@tributary/contract'
import type { StoreRevision } from '@tributary/store'
import { isSystemHistory } from '../domain/system-history.js'
import { mergedHistory, type MergedEntries, type SourcedEntry } from './merged-history.js'
import { getTenantRecord, readCatalog, type OperationContext } from './operation-context.js'

/** Which records: at most `limit`; `before`: of smaller revisions; `actor`: part of a token's or person's name, in any case. */
export interface AuditQuery {
  readonly limit: number
  readonly before?: StoreRevision
  readonly actor?: string
  readonly tenant?: string
  /** Not older than this, epoch milliseconds. */
  readonly sinceMs?: number
}

/** What was found. `nextBefore`: there may be more, ask with it as `before`; null: that was all. */
export interface AuditPage {
  readonly storeRevision: string
  readonly records: ConfigAuditRecord[]
  readonly nextBefore: string | null
}

/** Records looked at for one answer: a filter that fits little must not read everything at once. */
const MAX_EXAMINED = 2_000
/** Clocks of replicas differ by less. Order is by revision; instants are for people. */
const CLOCK_SKEW_MS = 60_000

/**
 * Every write, every token made or revoked, and every refused attempt, newest first, in exactly the order of their revisions.
 * @throws AppError `TENANT_NOT_FOUND`
 */
export async function listAudit(context: OperationContext, query: AuditQuery): Promise<AuditPage> {
  const catalog = await readCatalog(context)
  const storeRevision = String(catalog.storeRevision)
  const { tenant, before = catalog.storeRevision + 1n, sinceMs } = query
  if (tenant !== undefined && catalog.head(tenant) === 0n) getTenantRecord(catalog, tenant)
  const heads = tenant === undefined ? [...catalog.heads()] : [[tenant, catalog.head(tenant)] as const]
  const records: ConfigAuditRecord[] = []
  let examined = 0
  for await (const merged of mergedHistory(context.store, { heads, before })) {
    examined += merged.entries.length
    const record = describe(merged)
    if (sinceMs !== undefined && Date.parse(record.at) < sinceMs - CLOCK_SKEW_MS) break
    if (fits(record, query)) records.push(record)
    if (records.length >= query.limit || examined >= MAX_EXAMINED) {
      return { storeRevision, records, nextBefore: String(merged.revision) }
    }
  }
  return { storeRevision, records, nextBefore: null }
}

function describe({ revision, entries }: MergedEntries): ConfigAuditRecord {
  const changes = entries.flatMap(changesOf)
  const tenants = entries.map(({ tenant }) => tenant).filter((name) => !isSystemHistory(name))
  const record = entries[0]?.record
  const { onBehalfOf, reason, runId, refused, uncounted } = record ?? {}
  return {
    storeRevision: String(revision),
    at: new Date(record?.at ?? 0).toISOString(),
    kind: refused !== undefined ? 'refused' : tenants.length === 0 ? 'token' : 'write',
    actor: record?.actor ?? '',
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    tenants: tenants.sort(),
    ...(reason === undefined ? {} : { reason }),
    ...(runId === undefined ? {} : { runId }),
    changes: changes.slice(0, MAX_AUDIT_CHANGES),
    changeCount: changes.length,
    ...(refused === undefined ? {} : { refused: [...refused] }),
    ...(uncounted === undefined ? {} : { uncounted }),
  }
}

function changesOf({ tenant, record }: SourcedEntry): AuditedChange[] {
  const tokens = (record.tokens ?? []).map(({ tokenId, name, role, did, ...token }): AuditedChange => {
    return { kind: 'token', tenant: token.tenant ?? null, name: `${tokenId} ${name} (${role})`, did }
  })
  const things = record.changes.map(({ kind, name, before, after }): AuditedChange => {
    return { kind, tenant, name, did: before === null ? 'created' : after === null ? 'deleted' : 'changed' }
  })
  return [...things, ...tokens]
}

function fits({ at, actor, onBehalfOf, refused = [] }: ConfigAuditRecord, query: AuditQuery): boolean {
  if (query.sinceMs !== undefined && Date.parse(at) < query.sinceMs) return false
  if (query.actor === undefined) return true
  const wanted = query.actor.toLowerCase()
  const names = [actor, onBehalfOf, ...refused.flatMap((one) => [one.actor, one.onBehalfOf])]
  return names.some((name) => name?.toLowerCase().includes(wanted) === true)
}
