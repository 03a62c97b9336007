/** What happens to the services of the environments when the platform stops. */
export type WorkloadsAtStop = 'keep' | 'stop'

/** Things that have been started, to be ended in the opposite order. */
export class Cleanup {
  readonly #ends: ((workloads: WorkloadsAtStop) => Promise<void>)[] = []

  /** Adds the end of something that has just been started. */
  add(end: (workloads: WorkloadsAtStop) => Promise<void>): void {
    this.#ends.push(end)
  }

  /** Ends everything, the newest first, also when one of the ends fails; then throws the first failure. Idempotent. */
  async run(workloads: WorkloadsAtStop): Promise<void> {
    const failures: unknown[] = []
    for (let end = this.#ends.pop(); end !== undefined; end = this.#ends.pop()) {
      await end(workloads).catch((error: unknown) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }
}
