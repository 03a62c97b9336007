/** Something with frames to write. */
export interface Flushable {
  flush(): void
}

/** Written without a pause, about 10 ms; what else the server has to do comes between. */
const SLICE = 1_024

/**
 * Collects who has something to write and writes at the end of the turn of the event loop, so that the frames of several revisions and
 * channels reach a subscriber in one write. When they are thousands, the rest is written in the turns after it.
 */
export class Outbox {
  #waiting: Flushable[] = []
  /** Being written, from `#next` on. */
  #items: Flushable[] = []
  #next = 0

  /** Has `flush` called soon, once for each call, in the order of the calls. */
  schedule(item: Flushable): void {
    if (this.#waiting.length === 0 && this.#items.length === 0) setImmediate(() => this.#writeSlice())
    this.#waiting.push(item)
  }

  #writeSlice(): void {
    if (this.#items.length === 0) this.#swap()
    const end = Math.min(this.#next + SLICE, this.#items.length)
    while (this.#next < end) this.#items[this.#next++]?.flush()
    if (this.#next === this.#items.length) {
      // Emptied, not replaced: growing a list anew for each of thousands of frames is garbage that somebody waits for.
      this.#items.length = 0
      this.#next = 0
    }
    if (this.#items.length + this.#waiting.length > 0) setImmediate(() => this.#writeSlice())
  }

  #swap(): void {
    const emptied = this.#items
    this.#items = this.#waiting
    this.#waiting = emptied
  }
}
