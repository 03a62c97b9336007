import type { JSX } from 'preact'
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.js'
import { Button } from '../../ui/button.js'
import type { EdgeFigures } from './edge-figures.js'
import { GraphEdgeLabel, useLabelPlaces } from './edge-label.js'
import { GraphDefinitions, GraphEdgeLine, type EdgeLook } from './graph-edge.js'
import { boxOf, layOut, type Frame, type GraphLayout, type PlacedNode } from './graph-layout.js'
import type { GraphEdge, GraphModel, GraphNode, Lane } from './graph-model.js'
import { GraphNodeShape, type NodeLook } from './graph-node.js'
import { useZoom, type Zoom } from './use-zoom.js'

/** What the drawing asks of whoever shows it. */
export interface GraphViewProps {
  readonly name: string
  readonly model: GraphModel
  readonly lookOf: (node: GraphNode) => NodeLook
  readonly figuresOf: (edge: GraphEdge) => EdgeFigures
  readonly edgeLookOf: (edge: GraphEdge) => EdgeLook
  readonly laneText: (lane: Lane) => { readonly title: string; readonly note: string }
  /** A service, a group or (with a space in its id) an edge was chosen; undefined: the empty ground. */
  readonly onChoose: (chosen: { readonly node?: string; readonly edge?: string }) => void
  /** Brought into the window when it changes. */
  readonly reveal: string | undefined
  /** It was searched for: it is shown large enough to be read. */
  readonly sought: boolean
}

const DEFAULT_FRAME: Frame = { width: 1000, height: 600 }
/** A window that grows or shrinks by less is the same one: nothing is placed anew. */
const FRAME_STEP = 80

/** Draws a topology: it can be moved and scaled, and gone through with the arrow keys. */
export function GraphView(props: GraphViewProps): JSX.Element {
  const element = useRef<HTMLDivElement>(null)
  const frame = useFrame(element)
  return (
    <div class="graph" ref={element}>
      {frame === undefined ? null : <Canvas {...props} frame={frame} />}
    </div>
  )
}

function Canvas(props: GraphViewProps & { readonly frame: Frame }): JSX.Element {
  const { model, name, frame } = props
  const shape = shapeOf(model)
  const layout = useMemo(() => layOut(model, frame), [shape, frame])
  const zoom = useZoom(layout)
  const [current, setCurrent] = useState<string>()
  useRevealed(props, layout, zoom)
  return (
    <>
      <svg
        ref={zoom.svg}
        class="graph-svg"
        role="group"
        aria-label={t('topo.graph', { name })}
        onKeyDown={(event) => onGraphKey(event, layout, { choose: props.onChoose, focus: setCurrent })}
        onClick={(event) => props.onChoose(chosenOf(event.target))}
        onFocusIn={(event) => revealFocused(event.target, layout, zoom)}
      >
        <GraphDefinitions />
        <g ref={zoom.content} class="graph-content">
          <Drawing {...props} layout={layout} current={current} />
        </g>
      </svg>
      <div class="graph-tools" role="group" aria-label={t('topo.fit')}>
        <Button icon="plus" label={t('topo.zoomIn')} onClick={() => zoom.by(1.3)} />
        <Button icon="minus" label={t('topo.zoomOut')} onClick={() => zoom.by(1 / 1.3)} />
        <Button icon="fit" label={t('topo.fit')} onClick={zoom.fit} />
      </div>
    </>
  )
}

/** The structure of a model in one text: while it stays the same nothing moves, whatever the figures do. */
function shapeOf({ nodes, edges, lanes }: GraphModel): string {
  return [lanes.join(), nodes.map(({ id, lane }) => `${id}@${lane}`).join(), edges.map(({ id }) => id).join()].join('|')
}

function Drawing(
  props: GraphViewProps & { readonly layout: GraphLayout; readonly current: string | undefined },
): JSX.Element {
  const { layout, model } = props
  const nodes = new Map(model.nodes.map((node) => [node.id, node]))
  const edges = new Map(model.edges.map((edge) => [edge.id, edge]))
  const reachable = props.current !== undefined && nodes.has(props.current) ? props.current : layout.nodes[0]?.node.id
  const lines = layout.edges.flatMap((placed) => {
    const edge = edges.get(placed.edge.id)
    if (edge === undefined) return []
    return [{ placed, figures: props.figuresOf(edge), look: props.edgeLookOf(edge) }]
  })
  const labels = useLabelPlaces(lines, layout)
  return (
    <>
      <Lanes layout={layout} laneText={props.laneText} />
      {lines.map((line) => (
        <GraphEdgeLine key={line.placed.edge.id} {...line} />
      ))}
      {layout.nodes.map((placed) => {
        const node = nodes.get(placed.node.id) ?? placed.node
        return (
          <GraphNodeShape
            key={node.id}
            placed={{ ...placed, node }}
            look={props.lookOf(node)}
            reachable={node.id === reachable}
          />
        )
      })}
      {labels.map((label) => (
        <GraphEdgeLabel key={label.line.placed.edge.id} {...label} />
      ))}
    </>
  )
}

function Lanes({ layout, laneText }: Pick<GraphViewProps, 'laneText'> & { readonly layout: GraphLayout }): JSX.Element {
  return (
    <>
      {layout.lanes.map(({ lane, y, height }, index) => {
        const { title, note } = laneText(lane)
        return (
          <g key={lane ?? ''} class={index === 0 ? 'lane lane-own' : 'lane'} transform={`translate(0,${y})`}>
            <rect width={layout.width} height={height} rx={12} />
            <text x={22} y={23}>
              <tspan class="lane-title">{title}</tspan>
              <tspan class="lane-note" dx={10}>
                {note}
              </tspan>
            </text>
          </g>
        )
      })}
    </>
  )
}

/** The window's size, before anything is drawn in it (laying out twice would take twice as long), and whenever it changes by much. */
function useFrame(element: { readonly current: HTMLElement | null }): Frame | undefined {
  const [frame, setFrame] = useState<Frame>()
  useLayoutEffect(() => {
    const { current } = element
    if (current === null) return undefined
    const measure = (): void => setFrame((before) => frameOf(current, before))
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(current)
    return () => observer.disconnect()
  }, [])
  return frame
}

function frameOf({ clientWidth: width, clientHeight: height }: HTMLElement, before: Frame | undefined): Frame {
  if (width === 0 || height === 0) return before ?? DEFAULT_FRAME
  const isSame =
    before !== undefined && Math.abs(before.width - width) < FRAME_STEP && Math.abs(before.height - height) < FRAME_STEP
  return isSame ? before : { width, height }
}

function useRevealed(
  { reveal, sought }: Pick<GraphViewProps, 'reveal' | 'sought'>,
  layout: GraphLayout,
  zoom: Zoom,
): void {
  useLayoutEffect(() => {
    const placed = layout.nodes.find(({ node }) => node.id === reveal)
    if (placed !== undefined) zoom.reveal(boxOf(placed), sought)
  }, [reveal, layout])
}

function chosenOf(target: EventTarget | null): { readonly node?: string; readonly edge?: string } {
  if (!(target instanceof Element)) return {}
  const node = target.closest('[data-node]')?.getAttribute('data-node')
  if (typeof node === 'string') return { node }
  const edge = target.closest('[data-edge]')?.getAttribute('data-edge')
  return typeof edge === 'string' ? { edge } : {}
}

function revealFocused(target: EventTarget | null, layout: GraphLayout, zoom: Zoom): void {
  const id = chosenOf(target).node
  const placed = layout.nodes.find(({ node }) => node.id === id)
  if (placed !== undefined) zoom.reveal(boxOf(placed))
  // The browser may have scrolled the frame to show the focused shape; the drawing moves by itself.
  zoom.svg.current?.parentElement?.scrollTo(0, 0)
}

const DIRECTIONS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowRight: [1, 0],
  ArrowLeft: [-1, 0],
  ArrowDown: [0, 1],
  ArrowUp: [0, -1],
}

function onGraphKey(
  event: KeyboardEvent,
  layout: GraphLayout,
  act: { readonly choose: GraphViewProps['onChoose']; readonly focus: (id: string) => void },
): void {
  const id = chosenOf(event.target).node
  if (id === undefined) return
  if (event.key === 'Enter' || event.key === ' ') {
    event.preventDefault()
    act.choose({ node: id })
    return
  }
  const direction = DIRECTIONS[event.key]
  if (direction === undefined) return
  event.preventDefault()
  const next = nearest(layout.nodes, id, direction)
  if (next === undefined || !(event.currentTarget instanceof Element)) return
  act.focus(next)
  event.currentTarget.querySelector<SVGElement>(`[data-node="${CSS.escape(next)}"]`)?.focus()
}

/** The next shape in a direction: the nearest one, where being off the line counts twice. */
function nearest(nodes: readonly PlacedNode[], id: string, [dx, dy]: readonly [number, number]): string | undefined {
  const from = nodes.find(({ node }) => node.id === id)
  if (from === undefined) return undefined
  const distances = nodes.flatMap(({ node, x, y }) => {
    const along = (x - from.x) * dx + (y - from.y) * dy
    const off = Math.abs((x - from.x) * dy) + Math.abs((y - from.y) * dx)
    return along <= 0 ? [] : [{ id: node.id, distance: along + 2 * off }]
  })
  return distances.sort((left, right) => left.distance - right.distance)[0]?.id
}
