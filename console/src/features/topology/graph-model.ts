import type { Topology, TopologyEdge, TopologyNode } from '@tributary/contract'

/** A lane of the drawing: a tenant of the chain, nearest first; null: what nobody has. */
export type Lane = string | null

/** What is drawn as one shape: a service, or several that are grouped. */
export interface GraphNode {
  readonly id: string
  readonly lane: Lane
  readonly kind: 'service' | 'group'
  /** One for a service. */
  readonly members: readonly TopologyNode[]
}

/** What is drawn as one line: the calls between two shapes. */
export interface GraphEdge {
  readonly id: string
  readonly from: string
  readonly to: string
  /** One, unless groups are involved. */
  readonly members: readonly TopologyEdge[]
}

/** What is drawn. */
export interface GraphModel {
  readonly lanes: readonly Lane[]
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}

/** What the person wants to see of a topology. */
export interface GraphWish {
  /** Inherited services that have nothing to do with the environment's own become one shape per lane. */
  readonly grouped: boolean
  /** Lanes whose group is opened nevertheless. */
  readonly opened: ReadonlySet<string>
  /** Only this service and its neighbours. */
  readonly focus: string | undefined
  /** Services that are never grouped: found, chosen or on a path. */
  readonly wanted: ReadonlySet<string>
}

/** From this many services on they are grouped unless the person says otherwise. */
export const GROUP_FROM = 40
/** A group of fewer is not worth hiding its members. */
const SMALLEST_GROUP = 3

/** What is to be drawn of a topology. Pure: the same topology and wish give the same model, in a stable order. */
export function buildGraph(topology: Topology, wish: GraphWish): GraphModel {
  const seen = wish.focus === undefined ? topology.nodes : neighbours(topology, wish.focus)
  const groupOf = wish.grouped && wish.focus === undefined ? groupsOf(topology, wish) : new Map<string, string>()
  const nodes = new Map<string, GraphNode & { readonly members: TopologyNode[] }>()
  for (const node of [...seen].sort(byService)) {
    const group = groupOf.get(node.service)
    const id = group ?? node.service
    const known = nodes.get(id)
    if (known === undefined) {
      nodes.set(id, { id, lane: laneOf(node), kind: group === undefined ? 'service' : 'group', members: [node] })
    } else known.members.push(node)
  }
  const drawn = [...nodes.values()]
  return { lanes: lanesOf(topology, drawn), nodes: drawn, edges: edgesOf(topology, nodes, groupOf) }
}

/** The lane that a service is drawn in: the tenant whose copy answers, or that masks it. */
export function laneOf({ owner, state }: TopologyNode): Lane {
  return state === 'missing' ? null : owner
}

/** The key of an edge between two shapes. */
export function edgeId(from: string, to: string): string {
  return `${from} ${to}`
}

function lanesOf({ chain }: Topology, nodes: readonly GraphNode[]): readonly Lane[] {
  const used = new Set(nodes.map(({ lane }) => lane))
  const known = chain.filter((tenant, index) => index === 0 || used.has(tenant))
  const others = [...used].filter((lane): lane is string => lane !== null && !known.includes(lane))
  return [...known, ...others.sort(), ...(used.has(null) ? [null] : [])]
}

function edgesOf(
  { edges }: Topology,
  nodes: ReadonlyMap<string, GraphNode>,
  groupOf: ReadonlyMap<string, string>,
): readonly GraphEdge[] {
  const drawn = new Map<string, GraphEdge & { readonly members: TopologyEdge[] }>()
  for (const edge of edges) {
    const from = groupOf.get(edge.from) ?? edge.from
    const to = groupOf.get(edge.to) ?? edge.to
    if (!nodes.has(from) || !nodes.has(to) || (from === to && groupOf.has(edge.from))) continue
    const id = edgeId(from, to)
    const known = drawn.get(id)
    if (known === undefined) drawn.set(id, { id, from, to, members: [edge] })
    else known.members.push(edge)
  }
  return [...drawn.values()]
}

/** A service with everybody who calls it and whom it calls. */
function neighbours({ nodes, edges }: Topology, focus: string): readonly TopologyNode[] {
  const near = new Set([focus])
  for (const { from, to } of edges) {
    if (from === focus) near.add(to)
    if (to === focus) near.add(from)
  }
  return nodes.filter(({ service }) => near.has(service))
}

/** Which services vanish into which group: healthy inherited ones that no own, masked or missing service touches. */
function groupsOf(topology: Topology, { opened, wanted }: GraphWish): ReadonlyMap<string, string> {
  const important = new Set(topology.nodes.filter(({ state }) => state !== 'inherited').map(({ service }) => service))
  const kept = new Set([...important, ...wanted])
  for (const { from, to, observed } of topology.edges) {
    if (important.has(from)) kept.add(to)
    if (important.has(to)) kept.add(from)
    if (observed !== null && observed.leaks > 0) kept.add(from).add(to)
  }
  const lanes = new Map<string, string[]>()
  for (const node of topology.nodes) {
    if (kept.has(node.service) || node.health === 'unhealthy' || node.owner === null || opened.has(node.owner)) continue
    lanes.set(node.owner, [...(lanes.get(node.owner) ?? []), node.service])
  }
  const groups = new Map<string, string>()
  for (const [lane, services] of lanes) {
    if (services.length < SMALLEST_GROUP) continue
    for (const service of services) groups.set(service, `group:${lane}`)
  }
  return groups
}

function byService(left: TopologyNode, right: TopologyNode): number {
  return left.service < right.service ? -1 : 1
}
