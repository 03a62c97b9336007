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
  /** Brings a rectangle of the drawing into the window, if it is not there. */
  readonly reveal: (box: Box) => void
}

/** A rectangle in the drawing's units. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

const SCALE = { least: 0.08, most: 2.5, fit: 1.15 } as const
const MARGIN = 24

/** Lets the person move and scale; fits the drawing at first and when its size changes, until the person has moved it. */
export function useZoom(size: { readonly width: number; readonly height: number }): Zoom {
  const svg = useRef<SVGSVGElement>(null)
  const content = useRef<SVGGElement>(null)
  const state = useRef({ moved: false, size })
  state.current.size = size
  const tool = useMemo(() => makeZoom(content, () => (state.current.moved = true)), [])
  useEffect(() => {
    const element = svg.current
    if (element === null) return undefined
    select(element).call(tool).on('dblclick.zoom', null)
    const fitUntouched = (): void => {
      if (!state.current.moved) fit(element, tool, state.current.size)
    }
    const observer = new ResizeObserver(fitUntouched)
    observer.observe(element)
    return () => {
      observer.disconnect()
      select(element).on('.zoom', null)
    }
  }, [])
  useEffect(() => {
    if (svg.current !== null && !state.current.moved) fit(svg.current, tool, size)
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
        if (svg.current !== null) fit(svg.current, tool, state.current.size)
      },
      reveal: (box) => {
        if (svg.current !== null) reveal(svg.current, tool, box)
      },
    }),
    [],
  )
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
  const y = (clientHeight - height * kept) / 2
  tool.transform(select(svg), zoomIdentity.translate(x, y).scale(kept))
}

function reveal(svg: SVGSVGElement, tool: Tool, { x, y, width, height }: Box): void {
  const matrix = svg.querySelector<SVGGElement>('.graph-content')?.transform.baseVal.consolidate()?.matrix
  if (matrix === undefined) return
  const [left, top] = [x * matrix.a + matrix.e, y * matrix.d + matrix.f]
  const [right, bottom] = [left + width * matrix.a, top + height * matrix.d]
  if (left >= 0 && top >= 0 && right <= svg.clientWidth && bottom <= svg.clientHeight) return
  tool.translateTo(select(svg), x + width / 2, y + height / 2)
}
