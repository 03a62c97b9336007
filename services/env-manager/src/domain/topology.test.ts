import type { Endpoint, Explanation, ResolvedView } from '@tributary/contract'
import { describe, expect, it } from 'vitest'
import { buildTopology, diffTopologies, explainCall, type KnownServiceLookup } from './topology.js'

const endpoint = (port: number): Endpoint => ({ name: 'http', protocol: 'http', host: '127.0.0.1', port })
const view: ResolvedView = {
  tenant: 'feature-x',
  service: null,
  chain: ['feature-x', 'integration'],
  storeRevision: '7',
  hash: '0'.repeat(64),
  config: {},
  services: {
    payments: { state: 'inherited', owner: 'integration', endpoints: [endpoint(2)], version: 'v1' },
    orders: { state: 'own', owner: 'feature-x', endpoints: [endpoint(1)], commitSha: 'a'.repeat(40) },
    stock: { state: 'masked', owner: 'feature-x', endpoints: [] },
  },
}
const lookup: KnownServiceLookup = (owner, service) =>
  owner === 'feature-x' && service === 'orders'
    ? { dependsOn: ['payments', 'mail'], health: 'healthy', healthMessage: null, url: 'http://x/' }
    : undefined

describe('buildTopology', () => {
  const topology = buildTopology(view, lookup)

  it('shows own, inherited, masked and missing services', () => {
    expect(topology.nodes.map(({ service, state, owner, health }) => [service, state, owner, health])).toEqual([
      ['orders', 'own', 'feature-x', 'healthy'],
      ['payments', 'inherited', 'integration', 'unknown'],
      ['stock', 'masked', 'feature-x', 'unknown'],
      ['mail', 'missing', null, 'unknown'],
    ])
  })

  it('draws declared calls', () => {
    expect(topology.edges.map(({ from, to }) => `${from} ${to}`)).toEqual(['orders payments', 'orders mail'])
  })
})

describe('buildTopology with observed calls', () => {
  const lastSeenAt = '2026-01-01T00:00:00.000Z'
  const seen = (from: string, to: string, leaks = 0) => ({
    from,
    to,
    calls: 5,
    errors: 1,
    leaks,
    latency: { p50Ms: 5, p95Ms: 20 },
    lastSeenAt,
  })
  const topology = buildTopology(view, lookup, {
    edges: [seen('orders', 'payments', 2), seen('payments', 'ghost')],
    leaks: [],
  })

  it('puts counts, leaks and latency on the declared edge', () => {
    expect(topology.edges[0]).toEqual({
      from: 'orders',
      to: 'payments',
      declared: true,
      observed: { calls: 5, errors: 1, leaks: 2, latency: { p50Ms: 5, p95Ms: 20 }, lastSeenAt },
    })
    expect(topology.edges[1]).toMatchObject({ to: 'mail', observed: null })
  })

  it('draws a call that nobody declared, and a service that is only called', () => {
    expect(topology.edges[2]).toMatchObject({ from: 'payments', to: 'ghost', declared: false, observed: { calls: 5 } })
    expect(topology.nodes.map(({ service, state }) => `${service} ${state}`)).toContain('ghost missing')
  })
})

describe('diffTopologies', () => {
  const left = buildTopology(view, lookup)

  it('finds nothing between equals, whatever their URLs and revisions', () => {
    const right = { ...left, storeRevision: '9', nodes: left.nodes.map((node) => ({ ...node, url: 'http://other/' })) }
    expect(diffTopologies(left, right).services).toEqual([])
  })

  it('finds what is on one side only, and what differs', () => {
    const other = {
      ...view,
      services: {
        orders: { ...view.services['orders']!, endpoints: [endpoint(9)] },
        extra: view.services['payments']!,
      },
    }
    const { services } = diffTopologies(left, buildTopology(other, lookup))
    expect(services.map(({ service, left: one, right: two }) => [service, one?.state, two?.state])).toEqual([
      ['extra', undefined, 'inherited'],
      ['orders', 'own', 'own'],
      ['payments', 'inherited', 'missing'],
      ['stock', 'masked', undefined],
    ])
  })
})

describe('explainCall', () => {
  const layer = (tenant: string, port: number): Explanation['layers'][number] => ({
    tenant,
    source: 'entry',
    revision: '1',
    value: { endpoints: [endpoint(port)] },
    effect: 'effective',
  })
  const explanation = (service: string, layers: Explanation['layers']): Explanation => ({
    tenant: 'feature-x',
    service,
    storeRevision: '7',
    result: null,
    summary: '',
    layers,
  })

  it.each([
    ['orders', 'own', 'feature-x has its own orders: 127.0.0.1:1 answers'],
    [
      'payments',
      'inherited',
      'feature-x has no payments of its own and inherits that of integration: 127.0.0.1:2 (v1) answers',
    ],
    ['stock', 'masked', 'feature-x masks stock: a call has no address, on purpose'],
    ['mail', 'missing', 'nobody in the chain of feature-x has mail: a call has no address'],
  ])('says who answers %s', (service, rule, summary) => {
    expect(explainCall(explanation(service, []), view.services[service])).toMatchObject({ rule, summary })
  })

  it('says why not another', () => {
    const layers = [layer('feature-x', 1), layer('integration', 5)]
    expect(explainCall(explanation('orders', layers), view.services['orders']).alternatives).toEqual([
      {
        tenant: 'integration',
        endpoints: [endpoint(5)],
        whyNot: 'feature-x has it too and is nearer than integration',
      },
    ])
    expect(
      explainCall(explanation('stock', [layer('integration', 5)]), view.services['stock']).alternatives[0]?.whyNot,
    ).toBe('feature-x masks it and is nearer than integration')
    const nothing = explainCall(explanation('mail', [{ ...layer('integration', 5), value: null }]), undefined)
    expect(nothing.alternatives).toEqual([
      { tenant: 'integration', endpoints: [], whyNot: 'integration has it, but its entry leads nowhere' },
    ])
  })

  it('says which copy makes the call, and whom it would reach without the routing context', () => {
    const integrationOrders = { state: 'own' as const, owner: 'integration', endpoints: [endpoint(5)] }
    const { from } = explainCall(explanation('orders', []), view.services['orders'], {
      service: 'payments',
      resolved: view.services['payments'],
      dependsOn: ['orders'],
      withoutContext: integrationOrders,
    })
    expect(from).toMatchObject({
      service: 'payments',
      owner: 'integration',
      declared: true,
      withoutContext: { owner: 'integration', endpoints: [endpoint(5)] },
    })
    expect(from?.summary).toMatch(/^integration\/payments makes the call; .* integration\/orders would answer$/)
  })

  it('does not speak of a copy where nobody answers with or without the routing context', () => {
    const caller = {
      service: 'payments',
      resolved: view.services['payments'],
      dependsOn: [],
      withoutContext: undefined,
    }
    const { from } = explainCall(explanation('mail', []), view.services['mail'], caller)
    expect(from?.summary).toMatch(/, and would reach as little without it$/)
  })

  it('sees no danger where the caller is the environment’s own, or the callee is shared', () => {
    const own = { service: 'orders', resolved: view.services['orders'], dependsOn: [], withoutContext: undefined }
    expect(explainCall(explanation('payments', []), view.services['payments'], own).from).toMatchObject({
      withoutContext: null,
      declared: false,
    })
    const shared = { ...own, service: 'payments', resolved: view.services['payments'] }
    const same = { ...shared, withoutContext: { ...view.services['payments']!, state: 'own' as const } }
    expect(explainCall(explanation('payments', []), view.services['payments'], same).from?.withoutContext).toBeNull()
    const absent = { ...own, service: 'ghost', resolved: undefined }
    expect(explainCall(explanation('orders', []), view.services['orders'], absent).from).toMatchObject({
      rule: 'missing',
      summary: 'nobody in the chain of feature-x has ghost',
    })
  })
})
