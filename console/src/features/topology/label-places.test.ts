import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pointAt, type Box, type Point } from './graph-curves.js'
import { layOut, obstaclesOf } from './graph-layout.js'
import { buildGraph, type GraphWish } from './graph-model.js'
import { placeLabels, type WantedLabel } from './label-places.js'
import { call, inherited, largeTopology, node, topology } from './topology.test-support.js'

const ALL: GraphWish = { grouped: false, opened: new Set(), focus: undefined, wanted: new Set() }
/** What figures with two lines take. */
const SIZE = { width: 80, height: 36 }

const shop = topology(
  [node('orders'), inherited('web'), inherited('payments'), inherited('inventory')],
  [
    call('web', 'orders', 12),
    call('orders', 'payments', 36),
    call('orders', 'inventory', 24),
    call('payments', 'orders', 24),
  ],
)

const boxOf = ({ x, y }: Point, { width, height }: Pick<Box, 'width' | 'height'> = SIZE): Box => ({
  x: x - width / 2,
  y: y - height / 2,
  width,
  height,
})
const covers = (one: Box, two: Box): boolean =>
  one.x < two.x + two.width && two.x < one.x + one.width && one.y < two.y + two.height && two.y < one.y + one.height

function placesIn(system: ReturnType<typeof topology>, aspect: number) {
  const layout = layOut(buildGraph(system, ALL), { width: 800 * aspect, height: 800 })
  const obstacles = obstaclesOf(layout)
  const wanted = layout.edges.map(({ edge, curve }) => ({ id: edge.id, curve, ...SIZE, must: false }))
  return { layout, obstacles, wanted, places: placeLabels(wanted, { ...layout, obstacles }) }
}

describe('the texts on the lines of a topology', () => {
  it.each([1.6, 0.9, 0.5])('all have a place in a small system, clear of everything, in a window of %d', (aspect) => {
    const { places, obstacles, wanted } = placesIn(shop, aspect)
    expect([...places.keys()].sort()).toEqual(wanted.map(({ id }) => id).sort())
    const boxes = [...places.values()].map((middle) => boxOf(middle))
    for (const [index, box] of boxes.entries()) {
      const others = [...obstacles, ...boxes.filter((_, other) => other !== index)]
      expect(others.filter((other) => covers(box, other))).toEqual([])
    }
  })

  it('lie on their own lines in a small system, so that it is plain what they belong to', () => {
    const { places, wanted } = placesIn(shop, 1.6)
    for (const { id, curve } of wanted) {
      const middle = places.get(id) ?? { x: Number.NaN, y: Number.NaN }
      const distances = Array.from({ length: 101 }, (_, step) => {
        const { x, y } = pointAt(curve, step / 100)
        return Math.hypot(x - middle.x, y - middle.y)
      })
      expect(Math.min(...distances), id).toBeLessThan(SIZE.height / 2)
    }
  })

  it('cover neither shapes nor each other, and stay in the drawing, however many services there are', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 24 }),
        fc.integer({ min: 1, max: 5 }),
        fc.double({ min: 0.4, max: 2.5, noNaN: true }),
        (services, layers, aspect) => {
          const { places, obstacles, layout } = placesIn(largeTopology(services, layers), aspect)
          const boxes = [...places.values()].map((middle) => boxOf(middle))
          for (const [index, box] of boxes.entries()) {
            const others = [...obstacles, ...boxes.slice(index + 1)]
            expect(others.some((other) => covers(box, other))).toBe(false)
            expect(Math.min(box.x, box.y)).toBeGreaterThanOrEqual(0)
            expect(box.x + box.width).toBeLessThanOrEqual(layout.width)
            expect(box.y + box.height).toBeLessThanOrEqual(layout.height)
          }
        },
      ),
      { numRuns: 15 },
    )
  })

  it('give way to those that come first, and only what must be seen stays where no room is', () => {
    const curve = [
      { x: 0, y: 20 },
      { x: 30, y: 20 },
      { x: 70, y: 20 },
      { x: 100, y: 20 },
    ] as const
    const label = (id: string, must = false): WantedLabel => ({ id, curve, ...SIZE, must })
    const room = { width: 100, height: 40, obstacles: [] }
    expect([...placeLabels([label('first'), label('second'), label('leak', true)], room).keys()]).toEqual([
      'first',
      'leak',
    ])
  })
})
