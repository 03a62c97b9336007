import { describe, expect, it } from 'vitest'
import { buildGraph, type GraphWish } from './graph-model.js'
import { call, inherited, node, topology } from './topology.test-support.js'

const wish = (given: Partial<GraphWish> = {}): GraphWish => ({
  grouped: true,
  opened: new Set(),
  focus: undefined,
  wanted: new Set(),
  ...given,
})
const ids = (graph: ReturnType<typeof buildGraph>): readonly string[] => graph.nodes.map(({ id }) => id).sort()

describe('what is drawn', () => {
  const far = ['far-1', 'far-2', 'far-3', 'far-4'].map(inherited)
  const shop = topology(
    [node('orders'), inherited('web'), inherited('payments'), ...far],
    [call('web', 'orders'), call('orders', 'payments'), call('payments', 'far-1'), call('far-1', 'far-2')],
  )

  it('groups inherited services that own ones have nothing to do with, and joins their calls', () => {
    const graph = buildGraph(shop, wish())
    expect(ids(graph)).toEqual(['group:integration', 'orders', 'payments', 'web'])
    expect(graph.nodes.find(({ kind }) => kind === 'group')?.members).toHaveLength(4)
    expect(graph.edges.map(({ id }) => id).sort()).toEqual([
      'orders payments',
      'payments group:integration',
      'web orders',
    ])
  })

  it('never hides what is unhealthy, leaks, was found or chosen, or was opened', () => {
    const sick = {
      ...shop,
      nodes: shop.nodes.map((one) => (one.service === 'far-4' ? { ...one, health: 'unhealthy' as const } : one)),
    }
    expect(ids(buildGraph(sick, wish()))).toContain('far-4')
    expect(ids(buildGraph(shop, wish({ wanted: new Set(['far-2']) })))).toContain('far-2')
    expect(ids(buildGraph(shop, wish({ opened: new Set(['integration']) })))).toHaveLength(7)
    const leaking = {
      ...shop,
      edges: [
        ...shop.edges,
        { ...call('far-3', 'far-4', 1), observed: { calls: 1, errors: 0, leaks: 1, latency: null, lastSeenAt: '' } },
      ],
    }
    expect(ids(buildGraph(leaking, wish()))).toEqual(expect.arrayContaining(['far-3', 'far-4']))
  })

  it('shows a service with its neighbours alone when it is in focus', () => {
    expect(ids(buildGraph(shop, wish({ focus: 'payments' })))).toEqual(['far-1', 'orders', 'payments'])
  })

  it('has a lane for each tenant of the chain that answers something, and the last one for what nobody has', () => {
    const missing = topology([node('a'), node('lost', { state: 'missing', owner: null })], [])
    expect(buildGraph(missing, wish()).lanes).toEqual(['feature-x', null])
    expect(buildGraph(shop, wish()).lanes).toEqual(['feature-x', 'integration'])
  })
})
