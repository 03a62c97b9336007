import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_TIMING, ReconnectPolicy } from './reconnect-policy.js'
import type { StreamEnd } from './stream-end.js'

const end = (cause: StreamEnd['cause'], more: Partial<StreamEnd> = {}): StreamEnd => ({ cause, message: '', ...more })
const ALMOST_ONE = 0.999_999

function policy(random: () => number, windowMs = 0): ReconnectPolicy {
  const made = new ReconnectPolicy(DEFAULT_TIMING, random)
  made.setWindow(windowMs)
  return made
}

describe('ReconnectPolicy', () => {
  it('spreads the first reconnect uniformly over the server’s window', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: ALMOST_ONE, noNaN: true }), (random) => {
        expect(policy(() => random, 4_000).delayAfter(end('closed'), 60_000)).toBeCloseTo(random * 4_000)
      }),
    )
  })

  it('takes the window of a goodbye', () => {
    expect(policy(() => 0.5).delayAfter(end('goodbye', { reconnectWindowMs: 600 }), 60_000)).toBe(300)
  })

  it('backs off up to half a minute while nothing answers', () => {
    const made = policy(() => ALMOST_ONE)
    const delays = Array.from({ length: 10 }, () => made.delayAfter(end('network'), undefined))
    expect(delays).toEqual([0, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  })

  it('jitters the backoff fully', () => {
    const made = policy(() => 0)
    expect([1, 2, 3].map(() => made.delayAfter(end('network'), undefined))).toEqual([0, 1, 1])
  })

  it('does not take a connection that was in step only briefly for a good one', () => {
    const made = policy(() => ALMOST_ONE)
    expect([1, 2, 3].map(() => made.delayAfter(end('closed'), 100))).toEqual([0, 500, 1_000])
    expect(made.delayAfter(end('closed'), DEFAULT_TIMING.stableAfterMs)).toBe(0)
  })

  it('asks for a snapshot at once the first time, then ever later', () => {
    const made = policy(() => ALMOST_ONE, 10_000)
    expect([1, 2, 3].map(() => made.delayAfter(end('resync'), 10))).toEqual([0, 500, 1_000])
  })

  it('retries refusals slowly', () => {
    const made = policy(() => ALMOST_ONE)
    const delays = Array.from({ length: 7 }, () => made.delayAfter(end('refused'), undefined))
    expect(delays).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
  })

  it('never comes before Retry-After, and is not sent away for hours', () => {
    expect(policy(() => 0).delayAfter(end('unavailable', { retryAfterMs: 7_000 }), undefined)).toBe(7_000)
    expect(policy(() => 0).delayAfter(end('unavailable', { retryAfterMs: 86_400_000 }), undefined)).toBe(300_000)
    expect(policy(() => ALMOST_ONE, 1e12).delayAfter(end('closed'), 60_000)).toBeLessThanOrEqual(300_000)
  })
})
