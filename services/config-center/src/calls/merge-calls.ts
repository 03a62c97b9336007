import type { ObservedCalls, ObservedEdge, ObservedLeak } from '@tributary/contract'
import { latencySummary } from './latency-window.js'
import type { ReplicaCalls, ReplicaEdge } from './replica-calls.js'

/** What several replicas know together. A process reports to one replica at a time, so counts are added. */
export type MergedCalls = Pick<ObservedCalls, 'countedSince' | 'edges' | 'leaks'>

/** Adds up edges and leaks; `countedSince` is the earliest. Edges by caller and called, leaks those seen last first. */
export function mergeCalls(parts: readonly [ReplicaCalls, ...ReplicaCalls[]]): MergedCalls {
  const leaks = mergeLeaks(parts.map((part) => part.leaks))
  const edges = new Map<string, ReplicaEdge>()
  for (const edge of parts.flatMap((part) => part.edges)) {
    const known = edges.get(keyOf(edge))
    edges.set(keyOf(edge), known === undefined ? edge : addEdges(known, edge))
  }
  return {
    countedSince: iso(Math.min(...parts.map(({ countedSince }) => countedSince))),
    edges: [...edges.values()]
      .map((edge) => describeEdge(edge, leaks))
      .sort((left, right) => compare(keyOf(left), keyOf(right))),
    leaks,
  }
}

/** Adds up leaks that are the same but for who was told of them; those seen last first. */
export function mergeLeaks(lists: readonly (readonly ObservedLeak[])[]): ObservedLeak[] {
  const merged = new Map<string, ObservedLeak>()
  for (const leak of lists.flat()) {
    const { kind, tenant, from, to, route, seenIn } = leak
    const key = JSON.stringify([kind, tenant, from, to, route, seenIn.tenant, seenIn.service])
    const known = merged.get(key)
    merged.set(key, known === undefined ? leak : addLeaks(known, leak))
  }
  return [...merged.values()].sort((left, right) => compare(right.lastSeenAt, left.lastSeenAt))
}

function addEdges(left: ReplicaEdge, right: ReplicaEdge): ReplicaEdge {
  const { from, to } = left
  return {
    from,
    to,
    calls: left.calls + right.calls,
    errors: left.errors + right.errors,
    lastSeenAt: Math.max(left.lastSeenAt, right.lastSeenAt),
    latency: left.latency.map((count, bucket) => count + (right.latency[bucket] ?? 0)),
  }
}

function addLeaks(left: ObservedLeak, right: ObservedLeak): ObservedLeak {
  const [earlier, later] = left.lastSeenAt <= right.lastSeenAt ? [left, right] : [right, left]
  return {
    ...later,
    count: left.count + right.count,
    firstSeenAt: left.firstSeenAt < right.firstSeenAt ? left.firstSeenAt : right.firstSeenAt,
    traceId: later.traceId ?? earlier.traceId,
  }
}

function describeEdge(edge: ReplicaEdge, leaks: readonly ObservedLeak[]): ObservedEdge {
  const { from, to, calls, errors, lastSeenAt, latency } = edge
  const own = leaks.filter((leak) => leak.from === from && leak.to === to)
  return {
    from,
    to,
    calls,
    errors,
    leaks: own.reduce((sum, { count }) => sum + count, 0),
    latency: latencySummary(latency),
    lastSeenAt: iso(lastSeenAt),
  }
}

function keyOf({ from, to }: { readonly from: string; readonly to: string }): string {
  return `${from}\n${to}`
}

function iso(at: number): string {
  return new Date(at).toISOString()
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
