/** Runs work one at a time for each key, in order of arrival; different keys do not wait for each other. */
export class KeyedMutex {
  private readonly tails = new Map<string, Promise<void>>()

  /** Runs `work` after everything that was given before it for `key` has settled. Settles as `work` does. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.tails.get(key) ?? Promise.resolve()
    const result = before.then(work)
    const settled = result.then(
      () => undefined,
      () => undefined,
    )
    this.tails.set(key, settled)
    try {
      return await result
    } finally {
      // Only the last one in line may forget the key; otherwise a waiting one would lose its place.
      if (this.tails.get(key) === settled) this.tails.delete(key)
    }
  }

  /** Keys that have work under way or waiting. */
  get size(): number {
    return this.tails.size
  }
}
