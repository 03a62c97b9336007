import { Type, type Static } from 'typebox'
import { Instant, ServiceName, StoreRevisionText, TenantName } from '../names.js'
import { LATENCY_BUCKETS_MS, LEAK_KINDS, MAX_REPORTED_SERIES, REFUSED_CONTEXT_REASONS } from './call-terms.js'

export * from './call-terms.js'

const strict = { additionalProperties: false } as const
const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

export const LeakKind = Type.Enum(LEAK_KINDS)
export type LeakKind = (typeof LEAK_KINDS)[number]

export const RefusedContextReason = Type.Enum(REFUSED_CONTEXT_REASONS)
export type RefusedContextReason = (typeof REFUSED_CONTEXT_REASONS)[number]

/** Method and path with variable parts left out, e.g. `POST /orders/:id`. Never a query, a body or a whole path. */
export const RouteLabel = Type.String({ minLength: 1, maxLength: 128, description: 'e.g. POST /orders/:id' })

/** What one of {@link LatencyCounts} counts: latencies up to each of LATENCY_BUCKETS_MS, then those above. */
export const LatencyCounts = Type.Array(Count, {
  minItems: LATENCY_BUCKETS_MS.length + 1,
  maxItems: LATENCY_BUCKETS_MS.length + 1,
})

/** Calls of the reporting process to one service for one tenant since its last report. `tenant` null: for none. */
export const ReportedCalls = Type.Object(
  {
    tenant: Type.Union([TenantName, Type.Null()]),
    to: ServiceName,
    calls: Count,
    errors: Count,
    latency: LatencyCounts,
  },
  strict,
)
export type ReportedCalls = Static<typeof ReportedCalls>

/** W3C trace id of one of the calls that were counted. */
export const TraceId = Type.String({ pattern: '^[0-9a-f]{32}$' })

/** Leaks of one kind since the last report. `peer`: for `misrouted` the caller, when it said so; else the service that was called. */
export const ReportedLeak = Type.Object(
  {
    kind: LeakKind,
    tenant: Type.Union([TenantName, Type.Null()]),
    peer: Type.Union([ServiceName, Type.Null()]),
    route: RouteLabel,
    count: Count,
    traceId: Type.Optional(TraceId),
  },
  strict,
)
export type ReportedLeak = Static<typeof ReportedLeak>

/**
 * What a subscriber has counted since its last report. `reporter` is random for each start of a process and `sequence` grows by one with
 * each report, so a report that is sent again is counted once. The subscription says which service reports.
 */
export const CallsReport = Type.Object(
  {
    reporter: Type.String({ pattern: '^[0-9a-f]{32}$' }),
    sequence: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    calls: Type.Array(ReportedCalls, { maxItems: MAX_REPORTED_SERIES }),
    leaks: Type.Array(ReportedLeak, { maxItems: MAX_REPORTED_SERIES }),
    refusedContexts: Type.Partial(
      Type.Object(Object.fromEntries(REFUSED_CONTEXT_REASONS.map((reason) => [reason, Count])), strict),
    ),
    uncounted: Type.Integer({ minimum: 0, description: 'calls that found no room among the series of the process' }),
  },
  { $id: 'CallsReport', additionalProperties: false },
)
export type CallsReport = Omit<Static<typeof CallsReport>, 'refusedContexts'> & {
  refusedContexts: Partial<Record<RefusedContextReason, number>>
}

/** A leak as it was reported: who lost whose context on the way to whom. `from` null: the caller did not say who it is. */
export const ObservedLeak = Type.Object(
  {
    kind: LeakKind,
    tenant: Type.Union([TenantName, Type.Null()]),
    from: Type.Union([ServiceName, Type.Null()]),
    to: ServiceName,
    route: RouteLabel,
    count: Count,
    firstSeenAt: Instant,
    lastSeenAt: Instant,
    traceId: Type.Union([TraceId, Type.Null()]),
    seenIn: Type.Object({ tenant: TenantName, service: ServiceName }, strict),
  },
  { $id: 'ObservedLeak', additionalProperties: false },
)
export type ObservedLeak = Static<typeof ObservedLeak>

/** Percentiles of latency, as the upper bound of the bucket that holds them; milliseconds. */
export const LatencySummary = Type.Object({ p50Ms: Type.Number(), p95Ms: Type.Number() }, strict)
export type LatencySummary = Static<typeof LatencySummary>

/** Calls from a service to another one for one tenant. Latency is that of the last minutes; null: none was answered in them. */
export const ObservedEdge = Type.Object(
  {
    from: ServiceName,
    to: ServiceName,
    calls: Count,
    errors: Count,
    leaks: Count,
    latency: Type.Union([LatencySummary, Type.Null()]),
    lastSeenAt: Instant,
  },
  strict,
)
export type ObservedEdge = Static<typeof ObservedEdge>

/** How many replicas did not answer, so that what they know is not in this answer; absent: all have answered. */
export const UnansweredReplicas = Type.Optional(Type.Integer({ minimum: 1 }))

/** What was observed of the calls of one tenant's requests: of all replicas, the oldest of which has counted since `countedSince`. */
export const ObservedCalls = Type.Object(
  {
    tenant: TenantName,
    storeRevision: StoreRevisionText,
    countedSince: Instant,
    edges: Type.Array(ObservedEdge),
    leaks: Type.Array(ObservedLeak),
    unansweredReplicas: UnansweredReplicas,
  },
  { $id: 'ObservedCalls', additionalProperties: false },
)
export type ObservedCalls = Static<typeof ObservedCalls>
