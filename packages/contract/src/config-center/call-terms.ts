// Without typebox: see name-patterns.ts.

/** Upper bounds, in milliseconds, of the buckets in which latencies are counted; one more bucket holds what took longer. */
export const LATENCY_BUCKETS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000] as const

/**
 * | kind | seen by | meaning |
 * | --- | --- | --- |
 * | misrouted | the service that was called | the request names a tenant that has this service elsewhere, where it should have gone |
 * | dropped | the caller | a request of the tenant was being served, and a call for it went out without the tenant |
 * | suspected | the caller | a call went out without any routing context while requests of tenants were being served: lost, or work of the process's own |
 */
export const LEAK_KINDS = ['misrouted', 'dropped', 'suspected'] as const

/** Why a routing context that came in was not taken. */
export const REFUSED_CONTEXT_REASONS = [
  'tenant_unknown',
  'tenant_invalid',
  'tenant_ambiguous',
  'member_malformed',
  'baggage_oversized',
] as const

/** The most series of each sort in one report. */
export const MAX_REPORTED_SERIES = 500

/** Names the service that makes a call, on calls to services of the system: whom a leak is to be told. It is no proof of anything. */
export const CALLER_HEADER = 'tributary-caller'
