import { LATENCY_BUCKETS_MS, type LatencySummary } from '@tributary/contract'

const BUCKETS = LATENCY_BUCKETS_MS.length + 1
/** What was counted counts for one to two spans of this length. */
const SPAN_MS = 5 * 60_000

/** Counts latencies of the last five to ten minutes in two halves that take turns, so that old ones go without a timer. */
export class LatencyWindow {
  #current: number[] = emptyCounts()
  #former: number[] = emptyCounts()
  #startedAt = 0

  /** Adds counts by bucket (`LATENCY_BUCKETS_MS`). `now`: epoch milliseconds. */
  add(counts: readonly number[], now: number): void {
    this.#turn(now)
    for (const [bucket, count] of counts.entries()) this.#current[bucket] = (this.#current[bucket] ?? 0) + count
  }

  /** What was counted lately, by bucket. */
  counts(now: number): number[] {
    this.#turn(now)
    return this.#current.map((count, bucket) => count + (this.#former[bucket] ?? 0))
  }

  #turn(now: number): void {
    const passed = now - this.#startedAt
    // A clock that was set back begins anew: what is kept would otherwise stay until it has caught up.
    if (passed >= 0 && passed < SPAN_MS) return
    this.#former = passed >= 0 && passed < 2 * SPAN_MS ? this.#current : emptyCounts()
    this.#current = emptyCounts()
    this.#startedAt = now
  }
}

/** Percentiles of counts by bucket; null when there are none. What is above the last bound is given as that bound. */
export function latencySummary(counts: readonly number[]): LatencySummary | null {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  return { p50Ms: percentile(counts, total * 0.5), p95Ms: percentile(counts, total * 0.95) }
}

function emptyCounts(): number[] {
  return Array.from({ length: BUCKETS }, () => 0)
}

function percentile(counts: readonly number[], rank: number): number {
  let seen = 0
  for (const [bucket, count] of counts.entries()) {
    seen += count
    if (seen >= rank && count > 0) return LATENCY_BUCKETS_MS[bucket] ?? LATENCY_BUCKETS_MS.at(-1) ?? 0
  }
  return LATENCY_BUCKETS_MS.at(-1) ?? 0
}
