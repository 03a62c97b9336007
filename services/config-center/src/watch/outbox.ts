/** Something with frames to write. */
export interface Flushable {
  flush(): void
}

/**
 * Collects who has something to write and writes once per turn of the event loop, so that the frames of several revisions and
 * channels reach a subscriber in one write.
 */
export class Outbox {
  readonly #waiting = new Set<Flushable>()
  #scheduled = false

  /** Has `flush` called at the end of this turn, once. */
  schedule(item: Flushable): void {
    this.#waiting.add(item)
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.flush())
  }

  /** Writes everything now. */
  flush(): void {
    this.#scheduled = false
    const items = [...this.#waiting]
    this.#waiting.clear()
    for (const item of items) item.flush()
  }
}
