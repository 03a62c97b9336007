import type { LeakKind, ReportedCalls, ReportedLeak } from '@tributary/contract'
import { LATENCY_BUCKETS_MS, MAX_REPORTED_SERIES } from '@tributary/contract/light'

/** An outgoing call that has ended. */
export interface EndedCall {
  readonly tenant: string | null
  readonly to: string
  readonly failed: boolean
  readonly durationMs: number
}

/** A leak as it was seen. `peer` as in `ReportedLeak`. */
export interface SeenLeak {
  readonly kind: LeakKind
  readonly tenant: string | null
  readonly peer: string | null
  readonly route: string
  readonly traceId: string | undefined
}

/** What was counted since it was last taken. */
export interface Counts {
  readonly calls: ReportedCalls[]
  readonly leaks: ReportedLeak[]
  readonly uncounted: number
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Adds up calls and leaks by series, at most as many as one report holds; what finds no room is only a number. */
export class CallCounter {
  readonly #calls = new Map<string, Map<string, Mutable<ReportedCalls>>>()
  readonly #leaks = new Map<string, Mutable<ReportedLeak>>()
  #callSeries = 0
  #uncounted = 0

  get isEmpty(): boolean {
    return this.#callSeries === 0 && this.#leaks.size === 0 && this.#uncounted === 0
  }

  countCall({ tenant, to, failed, durationMs }: EndedCall): void {
    const series = this.#series(tenant, to)
    if (series === undefined) {
      this.#uncounted += 1
      return
    }
    series.calls += 1
    if (failed) series.errors += 1
    const bucket = bucketOf(durationMs)
    series.latency[bucket] = (series.latency[bucket] ?? 0) + 1
  }

  /** Counts a leak; the trace of the newest one that has any is kept as a sample. True for the first of its series since the last take. */
  countLeak({ traceId, ...leak }: SeenLeak): boolean {
    const key = `${leak.kind}\n${leak.tenant ?? ''}\n${leak.peer ?? ''}\n${leak.route}`
    const known = this.#leaks.get(key)
    if (known !== undefined) {
      known.count += 1
      if (traceId !== undefined) known.traceId = traceId
      return false
    }
    if (this.#leaks.size >= MAX_REPORTED_SERIES) {
      this.#uncounted += 1
      return false
    }
    this.#leaks.set(key, { ...leak, count: 1, ...(traceId === undefined ? {} : { traceId }) })
    return true
  }

  /** Hands over what was counted and begins anew. */
  take(): Counts {
    const calls = [...this.#calls.values()].flatMap((byService) => [...byService.values()])
    const counts = { calls, leaks: [...this.#leaks.values()], uncounted: this.#uncounted }
    this.#calls.clear()
    this.#leaks.clear()
    this.#callSeries = 0
    this.#uncounted = 0
    return counts
  }

  #series(tenant: string | null, to: string): Mutable<ReportedCalls> | undefined {
    // Two maps instead of a joined key: this runs for every call, and allocates nothing for a series that is there.
    const byService = this.#calls.get(tenant ?? '')
    const known = byService?.get(to)
    if (known !== undefined) return known
    if (this.#callSeries >= MAX_REPORTED_SERIES) return undefined
    this.#callSeries += 1
    const made = { tenant, to, calls: 0, errors: 0, latency: [...LATENCY_BUCKETS_MS, 0].map(() => 0) }
    if (byService === undefined) this.#calls.set(tenant ?? '', new Map([[to, made]]))
    else byService.set(to, made)
    return made
  }
}

function bucketOf(durationMs: number): number {
  let bucket = 0
  while (bucket < LATENCY_BUCKETS_MS.length && durationMs > (LATENCY_BUCKETS_MS[bucket] ?? Infinity)) bucket += 1
  return bucket
}
