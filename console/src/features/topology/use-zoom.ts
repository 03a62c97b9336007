import { select } from 'd3-selection'
import { zoom, zoomIdentity, type ZoomBehavior } from 'd3-zoom'
import { useEffect, useMemo, useRef } from 'preact/hooks'

/** Moves and scales a drawing inside its window. */
export interface Zoom {
  readonly svg: { readonly current: SVGSVGElement | null }
  readonly content: { readonly current: SVGGElement | null }
  readonly by: (factor: number) => void
  /** Shows the whole drawing. */
  readonly fit: () => void
  /** Brings a rectangle of the drawing into the window, if it is not there; `legible`: large enough to be read. */
  readonly reveal: (box: Box, legible?: boolean) => void
}

/** A rectangle in the drawing's units. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

const SCALE = { least: 0.08, legible: 0.85, most: 2.5, fit: 1.15 } as const
const MARGIN = 24

/** Lets the person move and scale; fits the drawing at first and when its size changes, until the person has moved it. */
export function useZoom(size: { readonly width: number; readonly height: number }): Zoom {
  const svg = useRef<SVGSVGElement>(null)
  const content = useRef<SVGGElement>(null)
  const state = useRef<ZoomState>({ moved: false, size, sought: undefined })
  state.current.size = size
  const tool = useMemo(() => makeZoom(content, () => (state.current.moved = true)), [])
  useEffect(() => {
    const element = svg.current
    if (element === null) return undefined
    select(element).call(tool).on('dblclick.zoom', null)
    const fitUntouched = (): void => settle(element, tool, state.current)
    const observer = new ResizeObserver(fitUntouched)
    observer.observe(element)
    return () => {
      observer.disconnect()
      select(element).on('.zoom', null)
    }
  }, [])
  useEffect(() => {
    if (svg.current !== null) settle(svg.current, tool, state.current)
  }, [size.width, size.height])
  return useMemo(
    () => ({
      svg,
      content,
      by: (factor) => {
        if (svg.current !== null) tool.scaleBy(select(svg.current), factor)
        state.current.moved = true
      },
      fit: () => {
        state.current.moved = false
        state.current.sought = undefined
        if (svg.current !== null) fit(svg.current, tool, state.current.size)
      },
      reveal: (box, legible = false) => {
        state.current.sought = legible ? box : undefined
        if (svg.current !== null) reveal(svg.current, tool, { box, legible })
      },
    }),
    [],
  )
}

interface ZoomState {
  /** The person has moved or scaled it. */
  moved: boolean
  size: Pick<Box, 'width' | 'height'>
  /** What the person looks for: it stays legible when the window or the drawing changes. */
  sought: Box | undefined
}

type Tool = ZoomBehavior<SVGSVGElement, unknown>

function makeZoom(content: { readonly current: SVGGElement | null }, onMoved: () => void): Tool {
  return zoom<SVGSVGElement, unknown>()
    .scaleExtent([SCALE.least, SCALE.most])
    .on('zoom', ({ transform, sourceEvent }: { transform: { toString(): string }; sourceEvent: unknown }) => {
      content.current?.setAttribute('transform', transform.toString())
      if (sourceEvent !== null && sourceEvent !== undefined) onMoved()
    })
}

function fit(svg: SVGSVGElement, tool: Tool, { width, height }: Pick<Box, 'width' | 'height'>): void {
  const { clientWidth, clientHeight } = svg
  if (clientWidth === 0 || clientHeight === 0 || width <= 0 || height <= 0) return
  const scale = Math.min(SCALE.fit, (clientWidth - 2 * MARGIN) / width, (clientHeight - 2 * MARGIN) / height)
  const kept = Math.max(SCALE.least, scale)
  const x = (clientWidth - width * kept) / 2
  // In a window that is higher than wide it is sought at the top, not somewhere below.
  const y = clientHeight > clientWidth ? MARGIN : (clientHeight - height * kept) / 2
  tool.transform(select(svg), zoomIdentity.translate(x, y).scale(kept))
}

/** Shows the whole drawing again, or what is sought in it, unless the person has moved it. */
function settle(svg: SVGSVGElement, tool: Tool, { moved, size, sought }: ZoomState): void {
  if (moved) return
  fit(svg, tool, size)
  if (sought !== undefined) reveal(svg, tool, { box: sought, legible: true })
}

function reveal(
  svg: SVGSVGElement,
  tool: Tool,
  { box: { x, y, width, height }, legible }: { readonly box: Box; readonly legible: boolean },
): void {
  const matrix = svg.querySelector<SVGGElement>('.graph-content')?.transform.baseVal.consolidate()?.matrix
  if (matrix === undefined) return
  const [left, top] = [x * matrix.a + matrix.e, y * matrix.d + matrix.f]
  const [right, bottom] = [left + width * matrix.a, top + height * matrix.d]
  const isThere = left >= 0 && top >= 0 && right <= svg.clientWidth && bottom <= svg.clientHeight
  const scale = legible ? Math.max(SCALE.legible, matrix.a) : matrix.a
  if (isThere && scale === matrix.a) return
  const [middle, centre] = [
    svg.clientWidth / 2 - (x + width / 2) * scale,
    svg.clientHeight / 2 - (y + height / 2) * scale,
  ]
  tool.transform(select(svg), zoomIdentity.translate(middle, centre).scale(scale))
}
