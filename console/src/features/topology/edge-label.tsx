import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { figureLines } from './edge-figures.js'
import type { Point } from './graph-curves.js'
import { edgeKind, type DrawnEdge } from './graph-edge.js'
import { obstaclesOf, type GraphLayout } from './graph-layout.js'
import { placeLabels, type WantedLabel } from './label-places.js'

const LINE = { height: 14, pad: 4, side: 8, character: 6.2, wideCharacter: 11.5 } as const
/** The drop where the environment got lost; it stands above the text. */
const DROP = { radius: 10, height: 20 } as const
/** Widths are rounded up to these, so that a text keeps its place while its figures grow. */
const WIDTH_STEP = 16
const FIRST_WIDE_CHARACTER = 0x2e80

/** A text on a line, and the middle of its place. */
export interface PlacedLabel {
  readonly line: DrawnEdge
  readonly middle: Point
}

/** Finds places for the texts on the lines: what was chosen comes first, then what leaks. Where there is no room there is no text. */
export function useLabelPlaces(lines: readonly DrawnEdge[], layout: GraphLayout): readonly PlacedLabel[] {
  const wanted = lines.flatMap((line) => wantedOf(line) ?? [])
  const key = wanted
    .map(({ label: { id, width, height, must }, rank }) => [id, width, height, must, rank].join())
    .join()
  const places = useMemo(() => {
    const labels = [...wanted].sort((left, right) => right.rank - left.rank).map(({ label }) => label)
    return placeLabels(labels, { ...layout, obstacles: obstaclesOf(layout) })
  }, [key, layout])
  return lines.flatMap((line) => {
    const middle = places.get(line.placed.edge.id)
    return middle === undefined ? [] : [{ line, middle }]
  })
}

/** The text on a line; drawn after all lines and shapes, so that nothing lies over it. */
export function GraphEdgeLabel({ line, middle: { x, y } }: PlacedLabel): JSX.Element {
  const { placed, figures, look } = line
  const { texts, leaks, width, height } = contentOf(line)
  const top = -height / 2 + (leaks ? DROP.height : 0)
  return (
    <g
      class={`edge-label edge-label-${edgeKind(figures, look.result)} ${look.dimmed ? 'is-dimmed' : ''}`}
      transform={`translate(${x},${y})`}
      data-edge={placed.edge.id}
      aria-hidden="true"
    >
      {texts.length === 0 ? null : (
        <rect x={-width / 2} y={top} width={width} height={texts.length * LINE.height + 2 * LINE.pad} rx={9} />
      )}
      {texts.map((text, index) => (
        <text key={index} y={top + LINE.pad + index * LINE.height + 11}>
          {text}
        </text>
      ))}
      {leaks ? (
        <g class="mark mark-leak" transform={`translate(0,${-height / 2 + DROP.radius})`}>
          <circle r={DROP.radius} />
          <path d="M0,-6C3,-2 4.5,0 4.5,2.500A4.5,4.5 0 0 1 -4.5,2.500C-4.5,0 -3,-2 0,-6Z" />
        </g>
      ) : null}
    </g>
  )
}

function wantedOf(line: DrawnEdge): { readonly label: WantedLabel; readonly rank: number } | undefined {
  const { texts, leaks, width, height } = contentOf(line)
  if (texts.length === 0 && !leaks) return undefined
  const { edge, curve } = line.placed
  const steps = Math.ceil(width / WIDTH_STEP) * WIDTH_STEP
  const rank = (line.look.strong ? 2 : 0) + (leaks ? 1 : 0)
  return { label: { id: edge.id, curve, width: steps, height, must: leaks }, rank }
}

function contentOf({ figures, look }: DrawnEdge): {
  readonly texts: readonly string[]
  readonly leaks: boolean
  readonly width: number
  readonly height: number
} {
  const texts = look.labelled ? figureLines(figures) : []
  const leaks = figures.leaks > 0
  const text = texts.length === 0 ? 0 : texts.length * LINE.height + 2 * LINE.pad
  const width = texts.length === 0 ? 2 * DROP.radius : Math.max(...texts.map(widthOf)) + 2 * LINE.side
  return { texts, leaks, width, height: text + (leaks ? DROP.height : 0) }
}

function widthOf(text: string): number {
  let width = 0
  for (const character of text) {
    width += (character.codePointAt(0) ?? 0) < FIRST_WIDE_CHARACTER ? LINE.character : LINE.wideCharacter
  }
  return width
}
