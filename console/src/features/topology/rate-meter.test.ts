import { describe, expect, it } from 'vitest'
import { figuresOf, percentOf } from './edge-figures.js'
import { RateMeter } from './rate-meter.js'
import { call } from './topology.test-support.js'

describe('calls per second', () => {
  it('come from the growth of the totals within the last minute', () => {
    const meter = new RateMeter()
    for (let second = 0; second <= 120; second += 10) meter.note([call('a', 'b', second * 3)], second * 1000)
    expect(meter.rate('a', 'b', 120_000)).toBeCloseTo(3)
  })

  it('fall to nothing when no call comes any more', () => {
    const meter = new RateMeter()
    meter.note([call('a', 'b', 0)], 0)
    meter.note([call('a', 'b', 60)], 10_000)
    expect(meter.rate('a', 'b', 10_000)).toBeCloseTo(6)
    expect(meter.rate('a', 'b', 200_000)).toBe(0)
  })

  it('begin anew when the counter does', () => {
    const meter = new RateMeter()
    meter.note([call('a', 'b', 500)], 0)
    meter.note([call('a', 'b', 2)], 10_000)
    meter.note([call('a', 'b', 12)], 20_000)
    expect(meter.rate('a', 'b', 20_000)).toBeCloseTo(1)
  })

  it('are unknown until there is some time to count in', () => {
    const meter = new RateMeter()
    meter.note([call('a', 'b', 5)], 0)
    expect(meter.rate('a', 'b', 500)).toBeUndefined()
    expect(meter.rate('b', 'a', 5000)).toBeUndefined()
  })
})

describe('figures of a line', () => {
  it('add up what several calls say, with the worst latency', () => {
    const observed = { calls: 10, errors: 1, leaks: 2, latency: { p50Ms: 5, p95Ms: 50 }, lastSeenAt: '2026-01-02' }
    const other = { ...observed, calls: 30, errors: 0, latency: { p50Ms: 10, p95Ms: 20 }, lastSeenAt: '2026-01-01' }
    const edges = [
      { ...call('a', 'b'), observed },
      { ...call('c', 'b'), observed: other, declared: false },
    ]
    expect(figuresOf(edges, new RateMeter(), 0)).toMatchObject({
      declared: true,
      observed: true,
      calls: 40,
      errorShare: 0.025,
      leaks: 4,
      latency: { p50Ms: 10, p95Ms: 50 },
      lastSeenAt: '2026-01-02',
    })
  })

  it('never show few errors as none', () => {
    expect(percentOf(0.0001)).toBe('<0.1')
    expect(percentOf(0)).toBe('0')
    expect(percentOf(0.25)).toBe('25')
  })
})
