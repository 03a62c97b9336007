import type { JSX } from 'preact'
import type { PlacedEdge } from './graph-layout.js'
import { shortFigures, type EdgeFigures } from './edge-figures.js'

const LABEL = { height: 18, character: 6.2, pad: 12 } as const

interface Props {
  readonly placed: PlacedEdge
  readonly figures: EdgeFigures
  readonly look: {
    readonly dimmed: boolean
    readonly strong: boolean
    readonly labelled: boolean
    readonly result: string
  }
}

/** The calls between two shapes: dashed when only declared, with a drop where the environment got lost. */
export function GraphEdgeLine({ placed, figures, look }: Props): JSX.Element {
  const kind = kindOf(figures, look.result)
  const classes = ['edge', `edge-${kind}`, look.dimmed ? 'is-dimmed' : '', look.strong ? 'is-strong' : ''].join(' ')
  return (
    <g class={classes} data-edge={placed.edge.id}>
      <path class="edge-reach" d={placed.path} />
      <path class="edge-line" d={placed.path} marker-end={`url(#arrow-${kind})`} />
    </g>
  )
}

/** The text on a line; drawn after all lines and shapes, so that nothing lies over it. */
export function GraphEdgeLabel({ placed, figures, look }: Props): JSX.Element | null {
  const text = look.labelled ? shortFigures(figures) : undefined
  const { x, y } = placed.middle
  if (text === undefined && figures.leaks === 0) return null
  const width = (text ?? '').length * LABEL.character + LABEL.pad
  return (
    <g
      class={`edge-label edge-label-${kindOf(figures, look.result)} ${look.dimmed ? 'is-dimmed' : ''}`}
      transform={`translate(${x},${y})`}
      data-edge={placed.edge.id}
      aria-hidden="true"
    >
      {text === undefined ? null : (
        <>
          <rect x={-width / 2} y={-LABEL.height / 2} width={width} height={LABEL.height} rx={9} />
          <text y={4}>{text}</text>
        </>
      )}
      {figures.leaks > 0 ? (
        <g class="mark mark-leak" transform={`translate(${text === undefined ? 0 : -width / 2 - 8},0)`}>
          <circle r={10} />
          <path d="M0,-6C3,-2 4.5,0 4.5,2.500A4.5,4.5 0 0 1 -4.5,2.500C-4.5,0 -3,-2 0,-6Z" />
        </g>
      ) : null}
    </g>
  )
}

/** How a line looks: by the result of a probe where there is one, else by what was seen. */
function kindOf({ leaks, errorShare, observed }: EdgeFigures, result: string): string {
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
