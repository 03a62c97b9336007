import type { CallsReport, ObservedEdge, ObservedLeak, ReportedCalls, ReportedLeak } from '@tributary/contract'
import { BoundedMap } from './bounded-map.js'
import { LatencyWindow } from './latency-window.js'
import { mergeCalls } from './merge-calls.js'
import type { ReplicaCalls } from './replica-calls.js'

/** Who reports, as its subscription says; what it claims otherwise counts for nothing. */
export interface ReportingService {
  readonly tenant: string
  readonly service: string
}

/** What became of a report. `repeated`: it had been counted before. */
export type ReportOutcome = 'counted' | 'repeated'

/** Bounds of what is kept; beyond them the least recently seen goes. */
export interface CallBookLimits {
  readonly tenants: number
  readonly edgesPerTenant: number
  readonly leaksPerTenant: number
  readonly reporters: number
}

const DEFAULT_LIMITS: CallBookLimits = { tenants: 5_000, edgesPerTenant: 400, leaksPerTenant: 100, reporters: 20_000 }

/** What the book needs. `hasTenant` keeps names that no tenant has out of it. */
export interface CallBookOptions {
  readonly hasTenant: (tenant: string) => boolean
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly limits?: Partial<CallBookLimits>
}

interface Edge {
  readonly from: string
  readonly to: string
  calls: number
  errors: number
  lastSeenAt: number
  readonly latency: LatencyWindow
}

interface Leak {
  readonly reported: ReportedLeak
  readonly from: string | null
  readonly to: string
  readonly seenIn: ReportingService
  count: number
  readonly firstSeenAt: number
  lastSeenAt: number
  traceId: string | null
}

interface TenantCalls {
  readonly tenant: string
  readonly edges: BoundedMap<string, Edge>
  readonly leaks: BoundedMap<string, Leak>
}

/**
 * What this replica was told about calls, by tenant and edge, in memory: counts since its start, bounded, without any payload. Calls
 * that no tenant was named for count for the tenant of the process that made them.
 */
export class CallBook {
  readonly #options: CallBookOptions
  readonly #limits: CallBookLimits
  readonly #tenants: BoundedMap<string, TenantCalls>
  readonly #sequences: BoundedMap<string, number>
  /** Epoch milliseconds. */
  readonly countedSince: number

  constructor(options: CallBookOptions) {
    this.#options = options
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.#tenants = new BoundedMap(this.#limits.tenants)
    this.#sequences = new BoundedMap(this.#limits.reporters)
    this.countedSince = options.now()
  }

  /** Edges that are kept, of all tenants. */
  get size(): number {
    let edges = 0
    for (const calls of this.#tenants.values()) edges += calls.edges.size
    return edges
  }

  /** Counts a report, unless it or a later one of the same reporter was counted already. */
  take(source: ReportingService, report: CallsReport): ReportOutcome {
    // Another service cannot make this one's reports look repeated: the reporter is known by who it is, too.
    const reporter = `${source.tenant}/${source.service}/${report.reporter}`
    if (report.sequence <= (this.#sequences.get(reporter) ?? 0)) return 'repeated'
    this.#sequences.set(reporter, report.sequence)
    for (const calls of report.calls) this.#countCalls(source, calls)
    for (const leak of report.leaks) this.#countLeak(source, leak)
    return 'counted'
  }

  /** Observed edges of a tenant's calls, by caller and called. */
  edgesOf(tenant: string): ObservedEdge[] {
    return mergeCalls([this.countsOf(tenant)]).edges
  }

  /** What is known of a tenant's calls, in a form that can be added to what other replicas know. */
  countsOf(tenant: string): ReplicaCalls {
    const now = this.#options.now()
    const edges = [...(this.#tenants.get(tenant)?.edges.values() ?? [])]
    return {
      countedSince: this.countedSince,
      edges: edges.map(({ latency, ...edge }) => ({ ...edge, latency: latency.counts(now) })),
      leaks: this.leaks({ tenant }),
    }
  }

  /** Leaks of a tenant's calls, or of all tenants', those seen last first; at most `maxAgeMs` old, default of any age. */
  leaks({ tenant, maxAgeMs }: { readonly tenant?: string; readonly maxAgeMs?: number } = {}): ObservedLeak[] {
    const since = maxAgeMs === undefined ? 0 : this.#options.now() - maxAgeMs
    const books = tenant === undefined ? [...this.#tenants.values()] : [this.#tenants.get(tenant)]
    return books
      .flatMap((calls) => (calls === undefined ? [] : [...calls.leaks.values()].map((leak) => ({ calls, leak }))))
      .filter(({ leak }) => leak.lastSeenAt >= since)
      .sort((left, right) => right.leak.lastSeenAt - left.leak.lastSeenAt)
      .map(({ calls, leak }) => describeLeak(calls.tenant, leak))
  }

  /** Forgets a tenant that is gone: one of the same name that comes later begins with nothing. */
  forget(tenant: string): void {
    this.#tenants.delete(tenant)
  }

  #countCalls(source: ReportingService, { tenant, to, ...counts }: ReportedCalls): void {
    const edge = this.#edge(tenant ?? source.tenant, { from: source.service, to })
    if (edge === undefined) return
    const now = this.#options.now()
    edge.calls += counts.calls
    edge.errors += counts.errors
    edge.lastSeenAt = now
    edge.latency.add(counts.latency, now)
  }

  #countLeak(source: ReportingService, reported: ReportedLeak): void {
    const calls = this.#callsOf(reported.tenant ?? source.tenant)
    if (calls === undefined) return
    const now = this.#options.now()
    const { kind, peer, route, count, traceId } = reported
    const arrived = kind === 'misrouted'
    const [from, to] = arrived ? [peer, source.service] : [source.service, peer ?? source.service]
    const leak = calls.leaks.ensure(JSON.stringify([kind, from, to, route, source.tenant]), () => ({
      reported,
      from,
      to,
      seenIn: source,
      count: 0,
      firstSeenAt: now,
      lastSeenAt: now,
      traceId: null,
    }))
    leak.count += count
    leak.lastSeenAt = now
    leak.traceId = traceId ?? leak.traceId
    // An edge with nothing but leaks is an edge all the same: it is the one that must be seen.
    if (from !== null) calls.edges.ensure(keyOf({ from, to }), () => newEdge({ from, to }, now))
  }

  #edge(tenant: string, ends: { readonly from: string; readonly to: string }): Edge | undefined {
    return this.#callsOf(tenant)?.edges.ensure(keyOf(ends), () => newEdge(ends, this.#options.now()))
  }

  #callsOf(tenant: string): TenantCalls | undefined {
    if (!this.#options.hasTenant(tenant)) return undefined
    const { edgesPerTenant, leaksPerTenant } = this.#limits
    return this.#tenants.ensure(tenant, () => ({
      tenant,
      edges: new BoundedMap(edgesPerTenant),
      leaks: new BoundedMap(leaksPerTenant),
    }))
  }
}

function newEdge({ from, to }: { readonly from: string; readonly to: string }, now: number): Edge {
  return { from, to, calls: 0, errors: 0, lastSeenAt: now, latency: new LatencyWindow() }
}

function describeLeak(tenant: string, leak: Leak): ObservedLeak {
  const { reported, from, to, count, traceId, seenIn } = leak
  return {
    kind: reported.kind,
    tenant,
    from,
    to,
    route: reported.route,
    count,
    firstSeenAt: iso(leak.firstSeenAt),
    lastSeenAt: iso(leak.lastSeenAt),
    traceId,
    seenIn: { tenant: seenIn.tenant, service: seenIn.service },
  }
}

function keyOf({ from, to }: { readonly from: string; readonly to: string }): string {
  return `${from}\n${to}`
}

function iso(at: number): string {
  return new Date(at).toISOString()
}
