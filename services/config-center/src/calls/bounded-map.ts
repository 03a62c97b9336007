/** A map that never holds more than `max` entries: the least recently set or gotten one goes for a new one. */
export class BoundedMap<K, V> {
  readonly #max: number
  // A Map keeps the order of insertion, so its first entry is the least recently used.
  readonly #entries = new Map<K, V>()

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#entries.size
  }

  /** The value, which becomes the most recently used one. */
  get(key: K): V | undefined {
    const value = this.#entries.get(key)
    if (value === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, value)
    return value
  }

  /** The value as {@link get} gives it; made by `create` when there is none. */
  ensure(key: K, create: () => V): V {
    const known = this.get(key)
    if (known !== undefined) return known
    const made = create()
    this.set(key, made)
    return made
  }

  set(key: K, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size <= this.#max) return
    const [oldest] = this.#entries.keys()
    if (oldest !== undefined) this.#entries.delete(oldest)
  }

  delete(key: K): void {
    this.#entries.delete(key)
  }

  values(): IterableIterator<V> {
    return this.#entries.values()
  }
}
