/** Lets a loop wait for changes that come from a callback. */
export interface ChangeFeed {
  /** Resolves at the next change, or at once when one came since the last call. One call at a time. */
  readonly next: () => Promise<'changed'>
  /** Stops listening; a pending `next` never resolves. */
  readonly close: () => void
}

/** Tells of changes once they have been quiet for `quietMs`. */
export function createChangeFeed(subscribe: (handler: () => void) => () => void, quietMs: number): ChangeFeed {
  let timer: NodeJS.Timeout | undefined
  let pending = false
  let wake = (): void => {}
  const unsubscribe = subscribe(() => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      pending = true
      wake()
    }, quietMs)
  })
  return {
    next: async () => {
      if (!pending) await new Promise<void>((resolve) => (wake = resolve))
      pending = false
      return 'changed'
    },
    close: () => {
      clearTimeout(timer)
      unsubscribe()
    },
  }
}
