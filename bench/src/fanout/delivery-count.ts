/** What went wrong on the way to the subscribers, counted over all of them. */
export interface DeliveryFaults {
  readonly missed: number
  readonly duplicated: number
  readonly outOfOrder: number
}

/** Counts what each subscriber was given against 0, 1, 2, …, which is what was published. */
export class DeliveryCount {
  readonly #last: Int32Array
  readonly #seen: Set<number>[]
  readonly #reached = new Map<number, number>()
  #duplicated = 0
  #outOfOrder = 0

  constructor(subscribers: number) {
    this.#last = new Int32Array(subscribers).fill(-1)
    this.#seen = Array.from({ length: subscribers }, () => new Set())
  }

  /** Notes that a subscriber holds a value. True when it was the last one to. */
  take(subscriber: number, sequence: number): boolean {
    const seen = this.#seen[subscriber]
    const last = this.#last[subscriber]
    if (seen === undefined || last === undefined) throw new Error(`there is no subscriber ${subscriber}`)
    if (seen.has(sequence)) {
      this.#duplicated += 1
      return false
    }
    seen.add(sequence)
    if (sequence < last) this.#outOfOrder += 1
    else this.#last[subscriber] = sequence
    const reached = (this.#reached.get(sequence) ?? 0) + 1
    this.#reached.set(sequence, reached)
    return reached === this.#seen.length
  }

  /** The verdict after `published` values. */
  faults(published: number): DeliveryFaults {
    const missed = this.#seen.reduce((sum, seen) => sum + published - seen.size, 0)
    return { missed, duplicated: this.#duplicated, outOfOrder: this.#outOfOrder }
  }
}
