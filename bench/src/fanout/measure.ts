import { quantile } from '../result.js'
import type { Child } from '../child.js'

/** How a fan-out is loaded: an open-loop schedule, so that a slow publish does not thin out the ones after it. */
export interface Schedule {
  readonly publishes: number
  /** Dropped from the figures: the first ones pay for compilation. */
  readonly warmUp: number
  readonly intervalMs: number
}

/** Milliseconds from the call of publish to the moment at which the last subscriber's code held the value. */
export interface FanoutFigures {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Publishes that never reached every subscriber. */
  readonly missed: number
}

/** Publishes on schedule and collects when each value had reached everybody. */
export async function measureFanout(
  subscribers: Child,
  schedule: Schedule,
  publish: (sequence: number) => Promise<unknown>,
): Promise<FanoutFigures> {
  const published = new Map<number, bigint>()
  const lastAt = new Map<number, bigint>()
  let onComplete: () => void = () => undefined
  subscribers.onMessage((message) => {
    const { sequence, lastAtNs } = message as { readonly sequence: number; readonly lastAtNs: string }
    lastAt.set(sequence, BigInt(lastAtNs))
    if (lastAt.size === schedule.publishes) onComplete()
  })
  const complete = new Promise<void>((resolve) => (onComplete = resolve))

  const pending: Promise<unknown>[] = []
  const startedAt = performance.now()
  for (let sequence = 0; sequence < schedule.publishes; sequence += 1) {
    await until(startedAt + sequence * schedule.intervalMs)
    published.set(sequence, process.hrtime.bigint())
    pending.push(publish(sequence))
  }
  await Promise.all(pending)
  await Promise.race([complete, until(performance.now() + 10_000)])

  const delays = [...lastAt]
    .filter(([sequence]) => sequence >= schedule.warmUp)
    .map(([sequence, at]) => Number(at - (published.get(sequence) ?? at)) / 1e6)
  return {
    p50Ms: quantile(delays, 0.5),
    p99Ms: quantile(delays, 0.99),
    maxMs: Math.max(...delays),
    missed: schedule.publishes - lastAt.size,
  }
}

function until(atMs: number): Promise<void> {
  const wait = atMs - performance.now()
  return wait <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, wait))
}
