import type { TopologyEdge } from '@tributary/contract'
import { formatNumber, t, tn } from '../../i18n/i18n.js'
import type { RateMeter } from './rate-meter.js'

/** The figures of one or more edges together. Latency is the worst of them. */
export interface EdgeFigures {
  readonly declared: boolean
  /** False: only declared, no call was seen. */
  readonly observed: boolean
  readonly calls: number
  readonly errorShare: number
  readonly leaks: number
  readonly rate: number | undefined
  readonly latency: { readonly p50Ms: number; readonly p95Ms: number } | undefined
  readonly lastSeenAt: string | undefined
}

/** Adds up what is known of the calls that one line stands for. */
export function figuresOf(edges: readonly TopologyEdge[], meter: RateMeter, nowMs: number): EdgeFigures {
  const seen = edges.flatMap(({ observed }) => (observed === null ? [] : [observed]))
  const total = (pick: (one: (typeof seen)[number]) => number): number => seen.reduce((sum, one) => sum + pick(one), 0)
  const calls = total((one) => one.calls)
  const rates = edges.flatMap(({ from, to }) => meter.rate(from, to, nowMs) ?? [])
  const latencies = seen.flatMap(({ latency }) => latency ?? [])
  return {
    declared: edges.some(({ declared }) => declared),
    observed: seen.length > 0,
    calls,
    errorShare: calls === 0 ? 0 : total((one) => one.errors) / calls,
    leaks: total((one) => one.leaks),
    rate: rates.length === 0 ? undefined : rates.reduce((sum, rate) => sum + rate, 0),
    latency:
      latencies.length === 0
        ? undefined
        : {
            p50Ms: Math.max(...latencies.map(({ p50Ms }) => p50Ms)),
            p95Ms: Math.max(...latencies.map(({ p95Ms }) => p95Ms)),
          },
    lastSeenAt: seen
      .map(({ lastSeenAt }) => lastSeenAt)
      .sort()
      .at(-1),
  }
}

/** The figures in few words, for the line itself: how many, errors if any, how slow. None: nothing was seen. */
export function figureLines(figures: EdgeFigures): readonly string[] {
  const { calls, errorShare, rate, latency } = figures
  if (!figures.observed) return []
  const speed =
    rate === undefined || rate === 0 ? tn('edge.calls', calls) : t('edge.rate', { rate: formatNumber(rate) })
  const errors = errorShare === 0 ? [] : [t('edge.errors', { percent: percentOf(errorShare) })]
  const slow = latency === undefined ? [] : [`p95 ${formatNumber(latency.p95Ms)} ms`]
  return [speed, ...errors, ...slow]
}

/** A share as a percentage; what is not nothing is never shown as 0. */
export function percentOf(share: number): string {
  if (share > 0 && share < 0.001) return '<0.1'
  return formatNumber(Math.round(share * 1000) / 10)
}
