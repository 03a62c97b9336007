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
})
