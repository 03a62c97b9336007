import type { JSX } from 'preact'
import type { PlacedEdge } from './graph-layout.js'
import type { EdgeFigures } from './edge-figures.js'
import { pathOf } from './graph-curves.js'

/** How a line is to be drawn. `result`: of a probe, or `path` on the way of a followed call. */
export interface EdgeLook {
  readonly dimmed: boolean
  readonly strong: boolean
  readonly labelled: boolean
  readonly result: string
}

/** A line with what is known of its calls. */
export interface DrawnEdge {
  readonly placed: PlacedEdge
  readonly figures: EdgeFigures
  readonly look: EdgeLook
}

/** The calls between two shapes: dashed when only declared, with a drop where the environment got lost. */
export function GraphEdgeLine({ placed, figures, look }: DrawnEdge): JSX.Element {
  const path = pathOf(placed.curve)
  const kind = edgeKind(figures, look.result)
  const classes = ['edge', `edge-${kind}`, look.dimmed ? 'is-dimmed' : '', look.strong ? 'is-strong' : ''].join(' ')
  return (
    <g class={classes} data-edge={placed.edge.id}>
      <path class="edge-reach" d={path} />
      <path class="edge-line" d={path} marker-end={`url(#arrow-${kind})`} />
    </g>
  )
}

/** How a line looks: by the result of a probe where there is one, else by what was seen. */
export function edgeKind({ leaks, errorShare, observed }: EdgeFigures, result: string): string {
  if (result !== '') return result
  if (leaks > 0) return 'leak'
  if (!observed) return 'declared'
  return errorShare > 0 ? 'errors' : 'observed'
}

const KINDS = ['declared', 'observed', 'errors', 'leak', 'path', 'carried', 'lost', 'unanswered', 'unreached'] as const

/** The arrow heads and patterns that lines and shapes use. */
export function GraphDefinitions(): JSX.Element {
  return (
    <defs>
      {KINDS.map((kind) => (
        <marker
          key={kind}
          id={`arrow-${kind}`}
          class={`arrow arrow-${kind}`}
          viewBox="0 0 10 10"
          refX="9"
          refY="5"
          markerUnits="userSpaceOnUse"
          markerWidth="11"
          markerHeight="11"
          orient="auto-start-reverse"
        >
          <path d="M0,0L10,5L0,10Z" />
        </marker>
      ))}
      <pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <line x1="0" y1="0" x2="0" y2="8" />
      </pattern>
    </defs>
  )
}
