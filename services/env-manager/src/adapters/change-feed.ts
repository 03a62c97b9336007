/** Names that changed, to any number of readers. Each reader gets a name once, however often it changed before it was read. */
export class ChangeFeed {
  private readonly readers = new Set<(name: string) => void>()

  /** Tells every reader. */
  publish(name: string): void {
    for (const reader of this.readers) reader(name)
  }

  /** Names that are published from this call on, until `signal` aborts. */
  watch(signal: AbortSignal): AsyncIterable<string> {
    const waiting = new Set<string>()
    let wake = (): void => undefined
    const reader = (name: string): void => {
      waiting.add(name)
      wake()
    }
    this.readers.add(reader)
    const leave = (): void => {
      this.readers.delete(reader)
      wake()
    }
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
    const sleep = (): Promise<void> => new Promise((resolve) => (wake = resolve))
    return drain({ waiting, sleep, leave, signal })
  }
}

interface Reading {
  readonly waiting: Set<string>
  readonly sleep: () => Promise<void>
  readonly leave: () => void
  readonly signal: AbortSignal
}

async function* drain(reading: Reading): AsyncGenerator<string> {
  try {
    while (!reading.signal.aborted) {
      const [name] = reading.waiting
      if (name === undefined) {
        await reading.sleep()
        continue
      }
      reading.waiting.delete(name)
      yield name
    }
  } finally {
    reading.leave()
  }
}
