import type { ComponentChildren, JSX } from 'preact'
import { Component } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'

/** Rows that come and go together: a step of the wheel draws two or three of these, in one go. */
const STEP_ROWS = 4
const FIRST_ROWS = 24

/**
 * Draws only the rows of a long list that can be seen, in the page's own scrolling. Each row is `rowHeight` pixels high. `render` gets the
 * item alone and must make of it what it made before: a row that stays in sight is not drawn again.
 */
export function VirtualRows<T>(props: {
  readonly items: readonly T[]
  readonly rowHeight: number
  readonly keyOf: (item: T) => string
  readonly render: (item: T) => ComponentChildren
}): JSX.Element {
  const { items, rowHeight } = props
  const element = useRef<HTMLDivElement>(null)
  const range = useVisibleRange(element, { count: items.length, rowHeight })
  return (
    <div ref={element} class="virtual" role="rowgroup" style={{ height: `${items.length * rowHeight}px` }}>
      {items.slice(range.first, range.last).map((item, at) => (
        <Row key={props.keyOf(item)} item={item} index={range.first + at} height={rowHeight} render={props.render} />
      ))}
    </div>
  )
}

interface Range {
  readonly first: number
  readonly last: number
}

function useVisibleRange(
  element: { readonly current: HTMLElement | null },
  { count, rowHeight }: { readonly count: number; readonly rowHeight: number },
): Range {
  const [range, setRange] = useState<Range>({ first: 0, last: FIRST_ROWS })
  const measure = (): void => {
    // Scroll events come once a frame, before anything of it is changed: the layout is clean, and this costs nothing.
    const top = element.current?.getBoundingClientRect().top ?? 0
    const first = Math.max(0, Math.floor(-top / rowHeight / STEP_ROWS - 1) * STEP_ROWS)
    const last = Math.ceil((innerHeight - top) / rowHeight / STEP_ROWS + 1) * STEP_ROWS
    setRange((old) => (old.first === first && old.last === last ? old : { first, last }))
  }
  useLayoutEffect(measure, [count, rowHeight])
  useEffect(() => {
    // Capturing: whichever element scrolls the list, its event comes by here.
    addEventListener('scroll', measure, { capture: true, passive: true })
    addEventListener('resize', measure)
    return () => {
      removeEventListener('scroll', measure, { capture: true })
      removeEventListener('resize', measure)
    }
  }, [rowHeight])
  return range
}

interface RowProps<T> {
  readonly item: T
  readonly index: number
  readonly height: number
  readonly render: (item: T) => ComponentChildren
}

/** Stands at its own place: rows that stay need not move when others come. */
class Row<T> extends Component<RowProps<T>> {
  override shouldComponentUpdate({ item, index, height }: RowProps<T>): boolean {
    const { props } = this
    return item !== props.item || index !== props.index || height !== props.height
  }

  override render({ item, index, height, render }: RowProps<T>): JSX.Element {
    const style = { height: `${height}px`, transform: `translateY(${index * height}px)` }
    return (
      <div class="virtual-row" role="row" aria-rowindex={index + 2} style={style}>
        {render(item)}
      </div>
    )
  }
}
