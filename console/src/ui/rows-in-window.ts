/** A list of rows of one height behind a window that shows a part of it. Pixels. */
export interface RowWindow {
  readonly count: number
  readonly rowHeight: number
  /** Height of the window. */
  readonly height: number
  /** How far it was scrolled when it last said so: it says nothing when rows go, or when it begins anew with few of them. */
  readonly scrolledTo: number
}

/** Drawn above and below, so that scrolling shows no gap. */
const SPARE = 20

/** The rows to be drawn, from `first` up to but without `end`. However far was scrolled before, the rows that there are now are seen. */
export function rowsInWindow({ count, rowHeight, height, scrolledTo }: RowWindow): {
  readonly first: number
  readonly end: number
} {
  const top = Math.max(0, Math.min(scrolledTo, count * rowHeight - height))
  return {
    first: Math.max(0, Math.floor(top / rowHeight) - SPARE),
    end: Math.min(count, Math.ceil((top + height) / rowHeight) + SPARE),
  }
}
