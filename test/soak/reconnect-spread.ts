/** How connections came, in time. */
export interface Spread {
  readonly count: number
  /** The most of them within any stretch of the slot. */
  readonly busiestSlot: number
  /** From the first to the last, milliseconds. */
  readonly spanMs: number
}

/** The spread of the instants in [`from`, `to`); all in milliseconds of one clock. */
export function spreadOf(
  instants: readonly number[],
  { from, to, slotMs }: { readonly from: number; readonly to: number; readonly slotMs: number },
): Spread {
  const within = instants.filter((at) => at >= from && at < to).sort((left, right) => left - right)
  let [oldest, busiestSlot] = [0, 0]
  for (const [index, at] of within.entries()) {
    while (at - (within[oldest] ?? at) >= slotMs) oldest += 1
    busiestSlot = Math.max(busiestSlot, index - oldest + 1)
  }
  return { count: within.length, busiestSlot, spanMs: (within.at(-1) ?? 0) - (within[0] ?? 0) }
}
