import type { Clock, KeyedMutex } from '@tributary/kit'
import type { RevisionedStore } from '@tributary/store'
import type { CatalogReader } from '../domain/catalog.js'
import type { SchemaCheckers } from '../domain/schema-check.js'
import type { TenantRecord } from '../domain/records.js'
import { failure } from '../errors.js'
import type { LiveCatalog } from '../ports/live-catalog.js'
import type { TokenRegistry } from '../tokens/token-registry.js'
import type { WorkloadTokens } from '../tokens/workload-tokens.js'

/** How long an operation waits for the store, milliseconds. */
export interface OperationTimeouts {
  /** For the store to say that the catalog is current. Default 5,000. */
  readonly readMs: number
  /** For a transaction to be acknowledged; its outcome is unknown afterwards. Default 10,000. */
  readonly writeMs: number
}

const DEFAULT_TIMEOUTS: OperationTimeouts = { readMs: 5_000, writeMs: 10_000 }

/** What operations work with: one per replica. */
export interface OperationContext {
  readonly store: RevisionedStore
  readonly live: LiveCatalog
  readonly tokens: TokenRegistry
  /** Absent: workloads have no identity of their own. */
  readonly workloads?: WorkloadTokens | undefined
  readonly clock: Clock
  readonly schemas: SchemaCheckers
  /** Writes of this replica to one tenant take turns, so that they do not make each other's transactions fail. */
  readonly turns: KeyedMutex
  readonly timeouts?: Partial<OperationTimeouts> | undefined
}

/** The context's timeouts, with defaults. */
export function timeoutsOf({ timeouts }: Pick<OperationContext, 'timeouts'>): OperationTimeouts {
  return { ...DEFAULT_TIMEOUTS, ...timeouts }
}

/** The catalog, not older than any write acknowledged before. @throws `TimeoutError` when the store does not answer in time. */
export function readCatalog(context: Pick<OperationContext, 'live' | 'timeouts'>): Promise<CatalogReader> {
  return context.live.readLinearizable({ signal: AbortSignal.timeout(timeoutsOf(context).readMs) })
}

/** @throws AppError `TENANT_NOT_FOUND` */
export function getTenantRecord(catalog: CatalogReader, tenant: string): TenantRecord {
  const record = catalog.tenant(tenant)
  if (record !== undefined) return record
  throw failure('TENANT_NOT_FOUND', `The tenant ${tenant} does not exist; create it first.`, { details: { tenant } })
}

/** @throws AppError `REVISION_IN_FUTURE` when the store has not reached `revision` yet. */
export function requireReached(catalog: CatalogReader, revision: bigint): void {
  if (revision <= catalog.storeRevision) return
  const current = String(catalog.storeRevision)
  throw failure('REVISION_IN_FUTURE', `Revision ${revision} has not been reached; the store is at ${current}.`, {
    details: { revision: String(revision), storeRevision: current },
  })
}
