import type { ObservedLeak, ProbeAnswer, TopologyEdge, TopologyNode } from '@tributary/contract'
import { describe, expect, it } from 'vitest'
import { judgeProbe, planProbes, withLeaks } from './probe.js'

const node = (service: string, more: Partial<TopologyNode> = {}): TopologyNode => ({
  service,
  state: 'inherited',
  owner: 'integration',
  version: null,
  commitSha: null,
  health: 'healthy',
  healthMessage: null,
  endpoints: [{ name: 'http', protocol: 'http', host: '127.0.0.1', port: 1 }],
  url: null,
  ...more,
})
const nodes = [
  node('payments'),
  node('orders', { state: 'own', owner: 'feature-x' }),
  node('mail', { state: 'masked', owner: 'feature-x', endpoints: [] }),
  node('ghost', { state: 'missing', owner: null, endpoints: [] }),
]
const context = { environment: 'feature-x', nodes }
const edge = (from: string, to: string, declared = true): TopologyEdge => ({ from, to, declared, observed: null })

const answer = (service: string, tenant: string, more: Partial<ProbeAnswer> = {}): ProbeAnswer => ({
  service,
  tenant,
  instance: 'i',
  contextTenant: 'feature-x',
  next: null,
  ...more,
})
const passedOn = (to: string, got: ProbeAnswer | null, error: string | null = null): ProbeAnswer =>
  answer('payments', 'integration', { next: { to, owner: 'feature-x', answer: got, error } })
const results = (to: string, got: ProbeAnswer) =>
  judgeProbe({ from: 'payments', to }, { answer: got }, context).map(({ result }) => result)

describe('planProbes', () => {
  it('takes every declared edge whose caller is there', () => {
    const edges = [
      edge('payments', 'orders'),
      edge('ghost', 'orders'),
      edge('mail', 'orders'),
      edge('orders', 'x', false),
    ]
    expect(planProbes({ nodes, edges })).toEqual([{ from: 'payments', to: 'orders' }])
  })
})

describe('judgeProbe', () => {
  it('finds that an edge carries the context when the right copy answers for the environment', () => {
    expect(results('orders', passedOn('orders', answer('orders', 'feature-x')))).toEqual(['carried', 'carried'])
  })

  it.each([
    ['another copy', answer('orders', 'integration'), 'integration/orders answered instead of feature-x/orders'],
    ['another service', answer('web', 'feature-x'), 'feature-x/web answered instead of feature-x/orders'],
    [
      'no environment',
      answer('orders', 'feature-x', { contextTenant: null }),
      'took the request for one of no environment',
    ],
    ['another environment', answer('orders', 'feature-x', { contextTenant: 'y' }), 'took the request for one of y'],
  ])('finds a lost context by %s', (_, got, detail) => {
    const [, judged] = judgeProbe({ from: 'payments', to: 'orders' }, { answer: passedOn('orders', got) }, context)
    expect(judged.result).toBe('lost')
    expect(judged.detail).toContain(detail)
  })

  it('tells who does not answer from who is not reached', () => {
    expect(results('orders', passedOn('orders', null, 'connect ECONNREFUSED'))).toEqual(['carried', 'unanswered'])
    const silent = judgeProbe({ from: 'payments', to: 'orders' }, { error: 'no middleware' }, context)
    expect(silent.map(({ result }) => result)).toEqual(['unanswered', 'unreached'])
    expect(results('orders', answer('payments', 'feature-y'))).toEqual(['lost', 'unreached'])
  })

  it('wants a call to a masked service to fail', () => {
    expect(results('mail', passedOn('mail', null, 'masked'))).toEqual(['carried', 'carried'])
    expect(results('mail', passedOn('mail', answer('mail', 'integration')))).toEqual(['carried', 'lost'])
  })

  it('does not take a missing service for carried', () => {
    expect(results('ghost', passedOn('ghost', null, 'nobody has it'))).toEqual(['carried', 'unanswered'])
  })
})

describe('withLeaks', () => {
  const leak = (from: string | null, to: string): ObservedLeak => ({
    kind: 'dropped',
    tenant: 'feature-x',
    from,
    to,
    route: 'GET /quote',
    count: 37,
    firstSeenAt: '2026-01-01T00:00:00.000Z',
    lastSeenAt: '2026-01-01T00:00:00.000Z',
    traceId: null,
    seenIn: { tenant: 'integration', service: 'payments' },
  })
  const [, carried] = judgeProbe(
    { from: 'payments', to: 'orders' },
    { answer: passedOn('orders', answer('orders', 'feature-x')) },
    context,
  )

  it('believes real calls more than the probe', () => {
    const [judged] = withLeaks([carried], [leak('payments', 'orders')])
    expect(judged).toMatchObject({ result: 'lost' })
    expect(judged?.detail).toMatch(
      /^37 real calls lost the environment \(dropped, GET \/quote in integration\/payments\)/,
    )
  })

  it('adds edges that nobody declared, once, and leaves the others alone', () => {
    const edges = withLeaks([carried], [leak('web', 'mail'), leak('web', 'mail'), leak(null, 'orders')])
    expect(edges.map(({ from, to, result }) => [from, to, result])).toEqual([
      ['payments', 'orders', 'carried'],
      ['web', 'mail', 'lost'],
    ])
  })
})
