import { Graph, layout as dagreLayout } from '@dagrejs/dagre'
import { ARC, curveBetween, type Box, type Curve } from './graph-curves.js'
import type { GraphEdge, GraphModel, GraphNode, Lane } from './graph-model.js'

/** Size of a shape and of the space around it, in the drawing's own units. */
export const NODE = { width: 226, height: 54 } as const
/** Between two columns is room for the text on a line. */
const GAP = { column: 116, row: 18, subColumn: 26 } as const
const LANE = { head: 34, pad: 18, gap: 14, side: 22 } as const
const FEWEST_ROWS = 3
/** Marks stand out so far over a shape's border. */
const MARKS = 7
/** About what a lane's title and note take. */
const TITLE = { character: 8, note: 110, height: 28 } as const
/** In a window that is much higher than wide layers do not fit beside each other. */
const TALL = 0.8
/** So small texts cannot be read; a few services are then rather below each other, where that helps by so much. */
const COLUMN = { below: 0.7, gain: 1.3 } as const

/** Where a shape is: its upper left corner. */
export interface PlacedNode {
  readonly node: GraphNode
  readonly x: number
  readonly y: number
}

/** A line. */
export interface PlacedEdge {
  readonly edge: GraphEdge
  readonly curve: Curve
}

/** A lane's band over the whole width. */
export interface PlacedLane {
  readonly lane: Lane
  readonly y: number
  readonly height: number
}

/** The whole drawing. */
export interface GraphLayout {
  readonly width: number
  readonly height: number
  readonly lanes: readonly PlacedLane[]
  readonly nodes: readonly PlacedNode[]
  readonly edges: readonly PlacedEdge[]
}

interface Cell {
  readonly node: GraphNode
  readonly rank: number
  readonly order: number
}

/** The window that is drawn into, in pixels. */
export interface Frame {
  readonly width: number
  readonly height: number
}

/**
 * Places a model: callers left of those whom they call (layers by dagre), one band for each tenant. Columns with many services are broken
 * into several, so that the whole has about the shape of the window. In a narrow window all are below each other.
 */
export function layOut(model: GraphModel, frame: Frame): GraphLayout {
  const aspect = frame.width / frame.height
  const cells = rank(model)
  if (aspect < TALL) return bestFor(model, inOneLayer(cells), aspect)
  const layered = bestFor(model, cells, aspect)
  const scale = scaleIn(frame, layered)
  if (scale >= COLUMN.below) return layered
  const column = place(model, inOneLayer(cells), model.nodes.length)
  return scaleIn(frame, column) >= scale * COLUMN.gain ? column : layered
}

function scaleIn({ width, height }: Frame, layout: GraphLayout): number {
  return Math.min(width / layout.width, height / layout.height)
}

function bestFor(model: GraphModel, cells: readonly Cell[], aspect: number): GraphLayout {
  const most = Math.max(FEWEST_ROWS, ...countByLaneAndRank(cells).values())
  let best: GraphLayout | undefined
  let bestFit = Number.POSITIVE_INFINITY
  for (let rows = FEWEST_ROWS; rows <= most; rows += Math.max(1, Math.floor(rows / 4))) {
    const candidate = place(model, cells, rows)
    // How far it must be shrunk to fit, up to a common factor.
    const fit = Math.max(candidate.width / aspect, candidate.height)
    if (fit < bestFit) [best, bestFit] = [candidate, fit]
  }
  return best ?? place(model, cells, most)
}

/** Layer and order within the layer of each shape, by dagre. */
function rank(model: GraphModel): readonly Cell[] {
  const graph = new Graph()
  graph.setGraph({ rankdir: 'LR', ranker: 'longest-path', nodesep: 10, ranksep: 100 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const { id } of model.nodes) graph.setNode(id, { width: NODE.width, height: NODE.height })
  for (const { from, to } of model.edges) if (from !== to) graph.setEdge(from, to)
  dagreLayout(graph)
  const at = new Map(model.nodes.map(({ id }) => [id, placeIn(graph, id)]))
  const columns = [...new Set([...at.values()].map(({ x }) => Math.round(x)))].sort((left, right) => left - right)
  return model.nodes.map((node) => {
    const { x, y } = at.get(node.id) ?? { x: 0, y: 0 }
    return { node, rank: columns.indexOf(Math.round(x)), order: y }
  })
}

/** The shapes of all layers below each other, callers first. */
function inOneLayer(cells: readonly Cell[]): readonly Cell[] {
  const highest = Math.max(1, ...cells.map(({ order }) => order))
  return cells.map(({ node, rank: layer, order }) => ({ node, rank: 0, order: layer + order / (highest + 1) }))
}

function placeIn(graph: Graph, id: string): { readonly x: number; readonly y: number } {
  const label: unknown = graph.node(id)
  if (typeof label !== 'object' || label === null || !('x' in label) || !('y' in label)) return { x: 0, y: 0 }
  return { x: Number(label.x), y: Number(label.y) }
}

function place(model: GraphModel, cells: readonly Cell[], rows: number): GraphLayout {
  const counts = countByLaneAndRank(cells)
  const columns = columnsOf(cells, counts, rows)
  const lanes: PlacedLane[] = []
  const nodes: PlacedNode[] = []
  let y = 0
  for (const lane of model.lanes) {
    const inLane = cells.filter((cell) => cell.node.lane === lane)
    const tallest = Math.max(1, ...inLane.map((cell) => Math.min(rows, counts.get(keyOf(cell)) ?? 1)))
    const height = LANE.head + LANE.pad + tallest * NODE.height + (tallest - 1) * GAP.row
    nodes.push(...fill(inLane, { rows, top: y + LANE.head, columns: columns.at }))
    lanes.push({ lane, y, height })
    y += height + LANE.gap
  }
  const edges = route(model.edges, nodes)
  const width = columns.width + 2 * LANE.side + (edges.some(staysInColumn) ? ARC.room : 0)
  return { width, height: y - LANE.gap, lanes, nodes, edges }
}

/** Where each layer begins; a layer with more services than rows takes several columns. */
function columnsOf(
  cells: readonly Cell[],
  counts: ReadonlyMap<string, number>,
  rows: number,
): { readonly at: readonly number[]; readonly width: number } {
  const layers = Math.max(0, ...cells.map((cell) => cell.rank)) + 1
  const at: number[] = []
  let x = LANE.side
  for (let layer = 0; layer < layers; layer += 1) {
    at.push(x)
    const most = Math.max(1, ...cells.filter((cell) => cell.rank === layer).map((cell) => counts.get(keyOf(cell)) ?? 1))
    const subColumns = Math.ceil(most / rows)
    x += subColumns * NODE.width + (subColumns - 1) * GAP.subColumn + GAP.column
  }
  return { at, width: x - GAP.column - LANE.side }
}

function fill(
  cells: readonly Cell[],
  { rows, top, columns }: { readonly rows: number; readonly top: number; readonly columns: readonly number[] },
): readonly PlacedNode[] {
  const filled = new Map<number, number>()
  return [...cells]
    .sort((left, right) => left.order - right.order || (left.node.id < right.node.id ? -1 : 1))
    .map(({ node, rank }) => {
      const index = filled.get(rank) ?? 0
      filled.set(rank, index + 1)
      return {
        node,
        x: (columns[rank] ?? 0) + Math.floor(index / rows) * (NODE.width + GAP.subColumn),
        y: top + (index % rows) * (NODE.height + GAP.row),
      }
    })
}

function countByLaneAndRank(cells: readonly Cell[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const cell of cells) counts.set(keyOf(cell), (counts.get(keyOf(cell)) ?? 0) + 1)
  return counts
}

function keyOf({ node, rank }: Cell): string {
  return `${rank} ${node.lane ?? ''}`
}

function staysInColumn({ edge, curve: [start, , , end] }: PlacedEdge): boolean {
  return edge.from !== edge.to && start.x === end.x
}

function route(edges: readonly GraphEdge[], nodes: readonly PlacedNode[]): readonly PlacedEdge[] {
  const byId = new Map(nodes.map((placed) => [placed.node.id, boxOf(placed)]))
  return edges.flatMap((edge) => {
    const [from, to] = [byId.get(edge.from), byId.get(edge.to)]
    return from === undefined || to === undefined ? [] : [{ edge, curve: curveBetween(from, to) }]
  })
}

/** The shape itself, without what stands out over it. */
export function boxOf({ x, y }: PlacedNode): Box {
  return { x, y, width: NODE.width, height: NODE.height }
}

/** What the texts on lines must not cover: shapes with their marks, and the titles of lanes. */
export function obstaclesOf({ nodes, lanes }: GraphLayout): readonly Box[] {
  const shapes = nodes.map(({ x, y }) => ({
    x: x - MARKS,
    y: y - MARKS,
    width: NODE.width + 2 * MARKS,
    height: NODE.height + 2 * MARKS,
  }))
  const titles = lanes.map(({ lane, y }) => ({
    x: 0,
    y,
    width: LANE.side + (lane ?? '').length * TITLE.character + TITLE.note,
    height: TITLE.height,
  }))
  return [...shapes, ...titles]
}
