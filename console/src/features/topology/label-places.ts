import { pointAt, type Box, type Curve, type Point } from './graph-curves.js'

/** A text that wants a place on a line. */
export interface WantedLabel {
  readonly id: string
  readonly curve: Curve
  readonly width: number
  readonly height: number
  /** It must be seen, wherever it comes to lie: the mark of a leak. */
  readonly must: boolean
}

/** Where texts may lie, and what they may not cover. */
export interface LabelRoom {
  readonly width: number
  readonly height: number
  readonly obstacles: readonly Box[]
}

/** Between a text and whatever is beside it. */
const SPACE = 4
/** From the middle of a line outwards. */
const SHARES = [0.5, 0.44, 0.56, 0.38, 0.62, 0.32, 0.68, 0.26, 0.74, 0.2, 0.8, 0.14, 0.86]
/** Beside a line, when no place on it is free: nearest first. Farther away nobody would know what a text belongs to. */
const SHIFTS = [12, 24, 36, 48]

/**
 * Middles of the texts by id, in the order of `wanted`: on its line, as near to the line's middle as nothing is covered there, else
 * beside the line. A text without a free place is left out, unless it must be seen.
 */
export function placeLabels(wanted: readonly WantedLabel[], room: LabelRoom): ReadonlyMap<string, Point> {
  const taken: Box[] = [...room.obstacles]
  const places = new Map<string, Point>()
  for (const label of wanted) {
    const place = freePlace(label, taken, room) ?? (label.must ? pointAt(label.curve, 0.5) : undefined)
    if (place === undefined) continue
    places.set(label.id, place)
    taken.push(boxAround(place, label))
  }
  return places
}

function freePlace(label: WantedLabel, taken: readonly Box[], room: LabelRoom): Point | undefined {
  for (const middle of candidatesOf(label)) if (isFree(boxAround(middle, label), taken, room)) return middle
  return undefined
}

/** On the line, then ever farther beside it. */
function* candidatesOf({ curve }: WantedLabel): Generator<Point> {
  const on = SHARES.map((share) => pointAt(curve, share))
  yield* on
  for (const shift of SHIFTS) {
    for (const { x, y } of on) {
      yield { x, y: y + shift }
      yield { x, y: y - shift }
      yield { x: x + shift, y }
      yield { x: x - shift, y }
    }
  }
}

function boxAround({ x, y }: Point, { width, height }: WantedLabel): Box {
  return { x: x - width / 2, y: y - height / 2, width, height }
}

function isFree(box: Box, taken: readonly Box[], { width, height }: LabelRoom): boolean {
  const inside = box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height
  return inside && !taken.some((other) => overlap(box, other))
}

function overlap(one: Box, two: Box): boolean {
  return (
    one.x < two.x + two.width + SPACE &&
    two.x < one.x + one.width + SPACE &&
    one.y < two.y + two.height + SPACE &&
    two.y < one.y + one.height + SPACE
  )
}
