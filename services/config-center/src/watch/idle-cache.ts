/** Things that nobody uses right now, kept for whoever comes next; the least recently used go first when there are too many. */
export class IdleCache<T> {
  readonly #max: number
  readonly #discard: (item: T) => unknown
  // A Set keeps the order of insertion, so its first item is the least recently used.
  readonly #items = new Set<T>()

  /** `discard` is called for every item that is pushed out. */
  constructor(max: number, discard: (item: T) => unknown) {
    this.#max = max
    this.#discard = discard
  }

  get size(): number {
    return this.#items.size
  }

  /** Adds an item, or makes it the most recently used. */
  touch(item: T): void {
    this.#items.delete(item)
    this.#items.add(item)
    for (const oldest of this.#items) {
      if (this.#items.size <= this.#max) return
      this.#items.delete(oldest)
      this.#discard(oldest)
    }
  }

  /** Takes an item out, since it is in use again or gone for good. */
  delete(item: T): void {
    this.#items.delete(item)
  }
}
