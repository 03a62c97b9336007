/** Something with frames to write. */
export interface Flushable {
  flush(): void
}

/**
 * Collects who has something to write and writes once per turn of the event loop, so that the frames of several revisions and
 * channels reach a subscriber in one write.
 */
export class Outbox {
  #waiting: Flushable[] = []
  /** Kept for its memory: growing a list anew for each of thousands of frames is garbage that somebody waits for. */
  #spare: Flushable[] = []

  /** Has `flush` called at the end of this turn, once for each call. */
  schedule(item: Flushable): void {
    if (this.#waiting.length === 0) setImmediate(() => this.flush())
    this.#waiting.push(item)
  }

  /** Writes everything now. */
  flush(): void {
    const items = this.#waiting
    this.#waiting = this.#spare
    this.#spare = []
    for (const item of items) item.flush()
    items.length = 0
    this.#spare = items
  }
}
