import { LATENCY_BUCKETS_MS, type CallsReport, type ReportedCalls, type ReportedLeak } from '@tributary/contract'
import { ManualClock } from '@tributary/testkit'
import { describe, expect, it } from 'vitest'
import { CallBook } from './call-book.js'

const PAYMENTS = { tenant: 'integration', service: 'payments' }
const TENANTS = new Set(['integration', 'feature-x', 'feature-y'])
const TRACE = '0af7651916cd43dd8448eb211c80319c'

const book = (clock = new ManualClock(), limits = {}) =>
  new CallBook({ hasTenant: (tenant) => TENANTS.has(tenant), now: () => clock.now(), limits })

/** Latency counts with `count` in the bucket whose upper bound is `boundMs`. */
const latency = (boundMs: number, count: number) =>
  [...LATENCY_BUCKETS_MS, Infinity].map((bound) => (bound === boundMs ? count : 0))

const calls = (more: Partial<ReportedCalls> = {}): ReportedCalls => ({
  tenant: 'feature-x',
  to: 'orders',
  calls: 3,
  errors: 1,
  latency: latency(5, 3),
  ...more,
})

const leak = (more: Partial<ReportedLeak> = {}): ReportedLeak => ({
  kind: 'dropped',
  tenant: 'feature-x',
  peer: 'orders',
  route: 'GET /callback',
  count: 2,
  ...more,
})

const report = (more: Partial<CallsReport> = {}): CallsReport => ({
  reporter: '1'.repeat(32),
  sequence: 1,
  calls: [],
  leaks: [],
  refusedContexts: {},
  uncounted: 0,
  ...more,
})

describe('CallBook', () => {
  it('adds up the calls of an edge over reports and reporters', () => {
    const kept = book()
    kept.take(PAYMENTS, report({ calls: [calls()] }))
    kept.take(PAYMENTS, report({ sequence: 2, calls: [calls({ calls: 4, errors: 0, latency: latency(5, 4) })] }))
    kept.take(PAYMENTS, report({ reporter: '2'.repeat(32), calls: [calls({ calls: 1, errors: 0 })] }))
    expect(kept.edgesOf('feature-x')).toMatchObject([{ from: 'payments', to: 'orders', calls: 8, errors: 1, leaks: 0 }])
    expect(kept.edgesOf('feature-y')).toEqual([])
  })

  it('counts a repeated and an overtaken report once', () => {
    const kept = book()
    const second = report({ sequence: 2, calls: [calls()], leaks: [leak()] })
    expect([kept.take(PAYMENTS, second), kept.take(PAYMENTS, second)]).toEqual(['counted', 'repeated'])
    expect(kept.take(PAYMENTS, report({ sequence: 1, calls: [calls()] }))).toBe('repeated')
    expect(kept.edgesOf('feature-x')).toMatchObject([{ calls: 3, leaks: 2 }])
  })

  it('does not let one service make the reports of another look repeated', () => {
    const kept = book()
    kept.take({ tenant: 'feature-y', service: 'web' }, report({ sequence: 900 }))
    expect(kept.take(PAYMENTS, report({ calls: [calls()] }))).toBe('counted')
  })

  it('names the edge of a leak by who saw it: the caller, or the called with the caller’s own word', () => {
    const kept = book()
    kept.take(PAYMENTS, report({ leaks: [leak({ traceId: TRACE }), leak({ kind: 'misrouted', peer: 'web' })] }))
    kept.take(PAYMENTS, report({ sequence: 2, leaks: [leak({ kind: 'misrouted', peer: null })] }))
    expect(kept.leaks({ tenant: 'feature-x' }).map(({ kind, from, to, count }) => [kind, from, to, count])).toEqual([
      ['dropped', 'payments', 'orders', 2],
      ['misrouted', 'web', 'payments', 2],
      ['misrouted', null, 'payments', 2],
    ])
    expect(kept.edgesOf('feature-x').map(({ from, to, leaks }) => [from, to, leaks])).toEqual([
      ['payments', 'orders', 2],
      ['web', 'payments', 2],
    ])
    expect(kept.leaks({ tenant: 'feature-x' })[0]).toMatchObject({ traceId: TRACE, seenIn: PAYMENTS })
  })

  it('counts calls of no tenant for the tenant of the caller', () => {
    const kept = book()
    kept.take(
      PAYMENTS,
      report({ calls: [calls({ tenant: null })], leaks: [leak({ kind: 'suspected', tenant: null })] }),
    )
    expect(kept.edgesOf('integration')).toMatchObject([{ calls: 3, leaks: 2 }])
  })

  it('keeps nothing of tenants that do not exist, and forgets one that goes', () => {
    const kept = book()
    kept.take(PAYMENTS, report({ calls: [calls({ tenant: 'ghost' }), calls()], leaks: [leak({ tenant: 'ghost' })] }))
    expect([kept.edgesOf('ghost'), kept.leaks({ tenant: 'ghost' })]).toEqual([[], []])
    kept.forget('feature-x')
    expect([kept.edgesOf('feature-x'), kept.size]).toEqual([[], 0])
  })

  it('stays within its bounds, keeping what was seen last', () => {
    const kept = book(new ManualClock(), { edgesPerTenant: 3, leaksPerTenant: 2 })
    const many = Array.from({ length: 50 }, (_, index) => calls({ to: `s${index}` }))
    kept.take(PAYMENTS, report({ calls: many, leaks: many.map(({ to }) => leak({ peer: to })) }))
    expect(kept.edgesOf('feature-x').map(({ to }) => to)).toEqual(['s47', 's48', 's49'])
    expect(kept.leaks({ tenant: 'feature-x' })).toHaveLength(2)
  })

  it('gives the latency of the last minutes, and none when it is old', () => {
    const clock = new ManualClock()
    const kept = book(clock)
    kept.take(PAYMENTS, report({ calls: [calls({ latency: latency(5, 90) })] }))
    kept.take(PAYMENTS, report({ sequence: 2, calls: [calls({ latency: latency(200, 10) })] }))
    expect(kept.edgesOf('feature-x')[0]?.latency).toEqual({ p50Ms: 5, p95Ms: 200 })
    clock.advance(11 * 60_000)
    expect(kept.edgesOf('feature-x')[0]).toMatchObject({ latency: null, calls: 6 })
  })

  it('lists the leaks of all tenants that were seen lately', () => {
    const clock = new ManualClock()
    const kept = book(clock)
    kept.take(PAYMENTS, report({ leaks: [leak()] }))
    clock.advance(60_000)
    kept.take(PAYMENTS, report({ sequence: 2, leaks: [leak({ tenant: 'feature-y' })] }))
    expect(kept.leaks().map(({ tenant }) => tenant)).toEqual(['feature-y', 'feature-x'])
    expect(kept.leaks({ maxAgeMs: 30_000 }).map(({ tenant }) => tenant)).toEqual(['feature-y'])
  })
})
