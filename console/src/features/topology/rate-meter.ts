import type { TopologyEdge } from '@tributary/contract'

const WINDOW_MS = 60_000

interface Sample {
  readonly atMs: number
  readonly calls: number
}

/**
 * Calls per second of each edge over the last minute, from the totals that the topology tells. Totals that shrink were counted anew: the
 * process that counted has been started again.
 */
export class RateMeter {
  readonly #samples = new Map<string, Sample[]>()

  /** Takes the totals of a topology that was read at `atMs`. */
  note(edges: readonly TopologyEdge[], atMs: number): void {
    for (const { from, to, observed } of edges) {
      if (observed === null) continue
      const key = `${from} ${to}`
      const samples = this.#samples.get(key) ?? []
      const last = samples.at(-1)
      if (last !== undefined && observed.calls < last.calls) samples.length = 0
      samples.push({ atMs, calls: observed.calls })
      // The newest one before the window stays: it is what the window's calls are counted from.
      while (samples.length > 1 && (samples[1]?.atMs ?? atMs) <= atMs - WINDOW_MS) samples.shift()
      this.#samples.set(key, samples)
    }
  }

  /** Calls per second up to `nowMs`; undefined until the edge was seen over some time. */
  rate(from: string, to: string, nowMs: number): number | undefined {
    const samples = this.#samples.get(`${from} ${to}`)
    const [first, last] = [samples?.[0], samples?.at(-1)]
    if (first === undefined || last === undefined) return undefined
    const since = Math.max(first.atMs, nowMs - WINDOW_MS)
    const base = [...(samples ?? [])].reverse().find(({ atMs }) => atMs <= since) ?? first
    const spanMs = nowMs - since
    return spanMs < 1000 ? undefined : ((last.calls - base.calls) * 1000) / spanMs
  }
}
