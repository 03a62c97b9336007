import { describe, expect, it } from 'vitest'
import { pathOf } from './graph-curves.js'
import { layOut, NODE, type Frame } from './graph-layout.js'
import { buildGraph, type GraphWish } from './graph-model.js'
import { call, inherited, largeTopology, node, topology } from './topology.test-support.js'

const WINDOW: Frame = { width: 1280, height: 800 }
const ALL: GraphWish = { grouped: false, opened: new Set(), focus: undefined, wanted: new Set() }

describe('the drawing of a topology', () => {
  const small = topology(
    [node('orders'), inherited('web'), inherited('payments'), node('old', { state: 'missing', owner: null })],
    [call('web', 'orders'), call('orders', 'payments'), call('payments', 'orders'), call('orders', 'old')],
  )

  it('puts callers left of those whom they call, and each service into the lane of its owner', () => {
    const { nodes, lanes } = layOut(buildGraph(small, ALL), WINDOW)
    const at = (id: string) => nodes.find((placed) => placed.node.id === id) ?? { x: Number.NaN, y: Number.NaN }
    expect(at('web').x).toBeLessThan(at('orders').x)
    expect(at('orders').x).toBeLessThan(at('payments').x)
    expect(lanes.map(({ lane }) => lane)).toEqual(['feature-x', 'integration', null])
    for (const { node: placed, y } of nodes) {
      const lane = lanes.find((one) => one.lane === placed.lane)
      expect(y).toBeGreaterThanOrEqual(lane?.y ?? Number.NaN)
      expect(y + NODE.height).toBeLessThanOrEqual((lane?.y ?? 0) + (lane?.height ?? 0))
    }
  })

  it.each([
    [5, 1.6],
    [50, 1.6],
    [150, 1.6],
    [150, 0.5],
  ])('lets no two of %i services overlap in a window of %d', (services, aspect) => {
    const { nodes } = layOut(buildGraph(largeTopology(services, 5), ALL), { width: 800 * aspect, height: 800 })
    expect(nodes).toHaveLength(services)
    const taken = new Set(nodes.map(({ x, y }) => `${x} ${y}`))
    expect(taken.size).toBe(services)
    const sorted = [...nodes].sort((left, right) => left.x - right.x || left.y - right.y)
    for (const [index, one] of sorted.entries()) {
      const next = sorted[index + 1]
      if (next === undefined || next.x !== one.x) continue
      expect(next.y - one.y).toBeGreaterThanOrEqual(NODE.height)
    }
  })

  it('has about the shape of the window, so that 150 services are not a line', () => {
    const { width, height } = layOut(buildGraph(largeTopology(150, 5), ALL), WINDOW)
    expect(width / height).toBeGreaterThan(0.8)
    expect(width / height).toBeLessThan(3.2)
  })

  it('puts few services below each other where they could not be read beside each other, and back when there is room', () => {
    const columns = (frame: Frame) => new Set(layOut(buildGraph(small, ALL), frame).nodes.map(({ x }) => x)).size
    expect(columns({ width: 560, height: 500 })).toBe(1)
    expect(columns({ width: 1000, height: 500 })).toBe(3)
  })

  it('keeps callers left of those whom they call where there are too many services for one column', () => {
    const many = buildGraph(largeTopology(30, 5), ALL)
    expect(new Set(layOut(many, { width: 560, height: 500 }).nodes.map(({ x }) => x)).size).toBeGreaterThan(4)
  })

  it('draws every call, a call to itself and a circle included', () => {
    const looped = topology([node('a'), node('b')], [call('a', 'a'), call('a', 'b'), call('b', 'a')])
    const { edges } = layOut(buildGraph(looped, ALL), WINDOW)
    expect(edges.map(({ edge }) => edge.id).sort()).toEqual(['a a', 'a b', 'b a'])
    for (const { curve } of edges) expect(pathOf(curve)).not.toContain('NaN')
  })
})
