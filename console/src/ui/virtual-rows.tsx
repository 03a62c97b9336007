import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'

const STEP_ROWS = 6
const FIRST_ROWS = 30

/**
 * Draws only the rows of a long list that can be seen, in the page's own scrolling. Each row is `rowHeight` pixels high. `render` gets the
 * item and its place in the whole list.
 */
export function VirtualRows<T>(props: {
  readonly items: readonly T[]
  readonly rowHeight: number
  readonly keyOf: (item: T) => string
  readonly render: (item: T, index: number) => ComponentChildren
}): JSX.Element {
  const { items, rowHeight } = props
  const element = useRef<HTMLDivElement>(null)
  const [range, setRange] = useState({ first: 0, last: FIRST_ROWS })
  const measure = (): void => {
    const top = element.current?.getBoundingClientRect().top ?? 0
    // In steps: rows are drawn anew once a step, not at each event.
    const first = Math.max(0, Math.floor(-top / rowHeight / STEP_ROWS - 1) * STEP_ROWS)
    const last = Math.ceil((innerHeight - top) / rowHeight / STEP_ROWS + 1) * STEP_ROWS
    setRange((old) => (old.first === first && old.last === last ? old : { first, last }))
  }
  useLayoutEffect(measure, [items.length, rowHeight])
  useEffect(() => {
    // Capturing: whichever element scrolls the list, its event comes by here.
    addEventListener('scroll', measure, { capture: true, passive: true })
    addEventListener('resize', measure)
    return () => {
      removeEventListener('scroll', measure, { capture: true })
      removeEventListener('resize', measure)
    }
  }, [rowHeight])
  const shown = items.slice(range.first, range.last)
  return (
    <div ref={element} class="virtual" role="rowgroup" style={{ height: `${items.length * rowHeight}px` }}>
      <div role="presentation" class="virtual-window" style={{ transform: `translateY(${range.first * rowHeight}px)` }}>
        {shown.map((item, at) => (
          <div
            key={props.keyOf(item)}
            class="virtual-row"
            role="row"
            aria-rowindex={range.first + at + 2}
            style={{ height: `${rowHeight}px` }}
          >
            {props.render(item, range.first + at)}
          </div>
        ))}
      </div>
    </div>
  )
}
