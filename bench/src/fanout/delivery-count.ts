/** What went wrong on the way to the subscribers, counted over all of them. */
export interface DeliveryFaults {
  readonly missed: number
  readonly duplicated: number
  readonly outOfOrder: number
}

/** Counts what each subscriber was given against 0, 1, 2, …, which is what was published. */
export class DeliveryCount {
  readonly #subscribers: number
  /** The newest value that each subscriber was given, and how many different ones. */
  readonly #last: Int32Array
  readonly #different: Int32Array
  /** Values below a subscriber's newest that it was not given; one that has missed nothing is not in it. */
  readonly #gaps = new Map<number, Set<number>>()
  readonly #reached: number[] = []
  #duplicated = 0
  #outOfOrder = 0

  constructor(subscribers: number) {
    this.#subscribers = subscribers
    this.#last = new Int32Array(subscribers).fill(-1)
    this.#different = new Int32Array(subscribers)
  }

  /** Notes that a subscriber holds a value. True when it was the last one to. */
  take(subscriber: number, sequence: number): boolean {
    const last = this.#last[subscriber]
    if (last === undefined) throw new Error(`there is no subscriber ${subscriber}`)
    if (!this.#isNew(subscriber, sequence, last)) {
      this.#duplicated += 1
      return false
    }
    if (sequence < last) this.#outOfOrder += 1
    else this.#last[subscriber] = sequence
    this.#different[subscriber] = (this.#different[subscriber] ?? 0) + 1
    const reached = (this.#reached[sequence] ?? 0) + 1
    this.#reached[sequence] = reached
    return reached === this.#subscribers
  }

  /** The verdict after `published` values. */
  faults(published: number): DeliveryFaults {
    const missed = this.#different.reduce((sum, different) => sum + published - different, 0)
    return { missed, duplicated: this.#duplicated, outOfOrder: this.#outOfOrder }
  }

  /** Remembers the values that a subscriber has skipped; only those can still be new below its newest. */
  #isNew(subscriber: number, sequence: number, last: number): boolean {
    if (sequence <= last) return this.#gaps.get(subscriber)?.delete(sequence) ?? false
    for (let skipped = last + 1; skipped < sequence; skipped += 1) {
      const gaps = this.#gaps.get(subscriber) ?? new Set()
      this.#gaps.set(subscriber, gaps.add(skipped))
    }
    return true
  }
}
