import {
  AppliedReport,
  CallsReport,
  ConfigAuditRecord,
  ConfigDocument,
  ConfigSchema,
  Convergence,
  CreatedToken,
  CreateToken,
  ErrorBody,
  Explanation,
  GrayImpact,
  GrayRelease,
  GrayReleaseSpec,
  HistoryRecord,
  ImpactRequest,
  InstanceLease,
  ObservedCalls,
  ObservedLeak,
  PollResult,
  ReplicaList,
  RegisterInstance,
  ResolvedService,
  ResolvedView,
  RollbackRequest,
  RouteTable,
  SchemaViolation,
  ServiceEntry,
  Subscription,
  Tenant,
  TenantConfig,
  TokenInfo,
  TransactionRequest,
  WriteImpact,
  WriteResult,
} from '@tributary/contract'
import { isObject } from '../../domain/merge-patch.js'

const NAMED: readonly object[] = [
  AppliedReport,
  CallsReport,
  ConfigAuditRecord,
  ConfigDocument,
  ConfigSchema,
  Convergence,
  CreatedToken,
  CreateToken,
  ErrorBody,
  Explanation,
  GrayImpact,
  GrayRelease,
  GrayReleaseSpec,
  HistoryRecord,
  ImpactRequest,
  InstanceLease,
  ObservedCalls,
  ObservedLeak,
  PollResult,
  ReplicaList,
  RegisterInstance,
  ResolvedService,
  ResolvedView,
  RollbackRequest,
  RouteTable,
  SchemaViolation,
  ServiceEntry,
  Subscription,
  Tenant,
  TenantConfig,
  TokenInfo,
  TransactionRequest,
  WriteImpact,
  WriteResult,
]

/** The named schemas of this API, each once, with those that they hold as references. */
export const SHARED_SCHEMAS: readonly object[] = NAMED.map((schema) =>
  Object.fromEntries(
    Object.entries(schema).map(([name, value]) => [name, name === '$id' ? value : withReferences(value)]),
  ),
)

/** A schema with every named schema inside it, and itself if it is named, as a reference to the shared one. */
export function withReferences(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withReferences)
  if (!isObject(schema)) return schema
  if (typeof schema.$id === 'string') return { $ref: `${schema.$id}#` }
  return Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, withReferences(value)]))
}
