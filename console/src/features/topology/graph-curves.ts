/** A place in the drawing's own units. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** A cubic Bézier curve: start, two control points, end. */
export type Curve = readonly [Point, Point, Point, Point]

/** A shape's upper left corner, and its size. */
export interface Box extends Point {
  readonly width: number
  readonly height: number
}

/** How far a call between shapes of one column swings out to the right of them; the text on it needs the rest of `room`. */
export const ARC = { least: 78, perRow: 8, most: 110, room: 150 } as const
const LOOP_HEIGHT = 26

/** The line of a call between two shapes of one size: rightwards where it can, else around the shapes that it would cross. */
export function curveBetween(from: Box, to: Box): Curve {
  if (from.x === to.x && from.y === to.y) return loop(from)
  if (to.x > from.x + from.width / 2) return forwards(from, to)
  if (to.x === from.x) return arc(from, to)
  return backwards(from, to)
}

/** The curve as an SVG path. */
export function pathOf([start, first, second, end]: Curve): string {
  return `M${start.x},${start.y}C${first.x},${first.y} ${second.x},${second.y} ${end.x},${end.y}`
}

/** Where the curve is at `share` (0 to 1) of its parameter. */
export function pointAt(curve: Curve, share: number): Point {
  const rest = 1 - share
  const weights = [rest ** 3, 3 * rest ** 2 * share, 3 * rest * share ** 2, share ** 3]
  const sum = (pick: (point: Point) => number): number =>
    curve.reduce((total, point, index) => total + (weights[index] ?? 0) * pick(point), 0)
  return { x: sum(({ x }) => x), y: sum(({ y }) => y) }
}

function forwards(from: Box, to: Box): Curve {
  const start = { x: from.x + from.width, y: from.y + from.height / 2 }
  const end = { x: to.x, y: to.y + to.height / 2 }
  const bend = Math.max(30, (end.x - start.x) / 2)
  return [start, { x: start.x + bend, y: start.y }, { x: end.x - bend, y: end.y }, end]
}

/** Within a column: out to the right and in again, so that it goes around the shapes between. */
function arc(from: Box, to: Box): Curve {
  const rows = Math.abs(to.y - from.y) / from.height
  const x = from.x + from.width
  const out = Math.min(ARC.most, ARC.least + ARC.perRow * rows) / 0.75
  // What leaves and what arrives keep apart, and so do a call and the one back.
  const down = to.y > from.y
  const [startY, endY] = [from.y + from.height * (down ? 0.7 : 0.3), to.y + to.height * (down ? 0.4 : 0.6)]
  return [
    { x, y: startY },
    { x: x + out, y: startY },
    { x: x + out, y: endY },
    { x, y: endY },
  ]
}

/** A call back to the left: it leaves and enters at top or bottom, so that it does not cross its own shapes. */
function backwards(from: Box, to: Box): Curve {
  if (from.y === to.y) return under(from, to)
  const down = to.y >= from.y
  const start = { x: from.x + from.width * 0.35, y: down ? from.y + from.height : from.y }
  const end = { x: to.x + to.width * 0.65, y: down ? to.y : to.y + to.height }
  const bend = Math.max(26, Math.abs(end.y - start.y) / 2) * (down ? 1 : -1)
  return [start, { x: start.x, y: start.y + bend }, { x: end.x, y: end.y - bend }, end]
}

function under(from: Box, to: Box): Curve {
  const y = from.y + from.height
  const [start, end] = [from.x + from.width * 0.35, to.x + to.width * 0.65]
  return [
    { x: start, y },
    { x: start, y: y + 46 },
    { x: end, y: y + 46 },
    { x: end, y },
  ]
}

function loop({ x, y, width }: Box): Curve {
  const [left, right, top] = [x + width * 0.55, x + width * 0.8, y - LOOP_HEIGHT]
  return [
    { x: left, y },
    { x: left, y: top },
    { x: right, y: top },
    { x: right, y },
  ]
}
