import type { Topology } from '@tributary/contract'
import type { Difference } from './diff-panel.js'
import type { Follow } from './follow-panel.js'
import { edgeId, type GraphEdge, type GraphModel, type GraphNode } from './graph-model.js'
import type { NodeLook } from './graph-node.js'
import type { EdgeLook } from './graph-edge.js'

/** Up to so many lines each bears its figures; with more only those of what is chosen do. */
const LABELLED_EDGES = 24

interface Given {
  readonly topology: Topology
  readonly model: GraphModel
  readonly query: URLSearchParams
  readonly follow: Follow
  readonly difference: Difference
  readonly found: readonly string[]
}

/** How each shape and line is to be drawn, by what was chosen, searched for, followed and compared. */
export function lookFor(given: Given): {
  readonly lookOf: (node: GraphNode) => NodeLook
  readonly edgeLookOf: (edge: GraphEdge) => EdgeLook
} {
  const { query, follow, found, difference, topology } = given
  const chosen = query.get('node') ?? undefined
  const chosenEdge = query.get('edge') ?? undefined
  const near = nearTo(given.model, chosen, chosenEdge)
  const leaking = new Set(topology.leaks.flatMap(({ from, to }) => (from === null ? [to] : [from])))
  return {
    lookOf: (node) => {
      const kind = difference.kindOf(node.id)
      return {
        selected: node.id === chosen,
        dimmed: isDimmed(node, { near, follow, found, difference: kind }),
        found: found.includes(node.id),
        difference: kind,
        step: follow.stepOf(node.id),
        leaking: node.members.some(({ service }) => leaking.has(service)),
      }
    },
    edgeLookOf: (edge) => edgeLook(edge, { ...given, near, chosenEdge }),
  }
}

function isDimmed(
  node: GraphNode,
  {
    near,
    follow,
    found,
    difference,
  }: Pick<Given, 'follow' | 'found'> & {
    readonly near: ReadonlySet<string> | undefined
    readonly difference: NodeLook['difference']
  },
): boolean {
  if (follow.active) return follow.stepOf(node.id) === undefined
  if (difference !== undefined) return difference === 'same'
  if (found.length > 0) return !found.includes(node.id)
  return near !== undefined && !near.has(node.id)
}

function edgeLook(
  edge: GraphEdge,
  {
    model,
    query,
    follow,
    found,
    difference,
    near,
    chosenEdge,
  }: Given & { readonly near: ReadonlySet<string> | undefined; readonly chosenEdge: string | undefined },
): EdgeLook {
  const onPath = follow.has(edge)
  const strong = edge.id === chosenEdge || onPath || touches(edge, query.get('node'))
  const dimmed = follow.active
    ? !onPath
    : found.length > 0 || difference.active || (near !== undefined && !near.has(edge.id))
  const wanted = query.get('labels') !== 'no' && (model.edges.length <= LABELLED_EDGES || strong) && !dimmed
  return { dimmed, strong, labelled: wanted, result: follow.resultOf(edge) }
}

function touches({ from, to }: GraphEdge, node: string | null): boolean {
  return node !== null && (from === node || to === node)
}

/** What stays bright when something is chosen: it, and whatever is next to it. */
function nearTo(
  { edges }: GraphModel,
  node: string | undefined,
  edge: string | undefined,
): ReadonlySet<string> | undefined {
  if (node === undefined && edge === undefined) return undefined
  const near = new Set(node === undefined ? [] : [node])
  for (const { id, from, to } of edges) {
    if (id !== edge && from !== node && to !== node) continue
    for (const one of [id, edgeId(from, to), from, to]) near.add(one)
  }
  return near
}
