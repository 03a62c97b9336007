import { LATENCY_BUCKETS_MS, ObservedLeak, ServiceName } from '@tributary/contract'
import { Type, type Static } from 'typebox'

const Count = Type.Integer({ minimum: 0 })
const EpochMs = Type.Integer({ minimum: 0 })

/** An edge as one replica knows it: latency by bucket, since percentiles of several replicas cannot be added. */
export const ReplicaEdge = Type.Object({
  from: ServiceName,
  to: ServiceName,
  calls: Count,
  errors: Count,
  lastSeenAt: EpochMs,
  latency: Type.Array(Count, { maxItems: LATENCY_BUCKETS_MS.length + 1 }),
})
export type ReplicaEdge = Static<typeof ReplicaEdge>

/** What one replica was told about the calls of a tenant's requests, since `countedSince`. Instants are epoch milliseconds. */
export const ReplicaCalls = Type.Object({
  countedSince: EpochMs,
  edges: Type.Array(ReplicaEdge),
  leaks: Type.Array(ObservedLeak),
})
export type ReplicaCalls = Static<typeof ReplicaCalls>
