import { cpuMs } from './bounded-run.js'

/** Time that several pieces of work share, in milliseconds that this process has computed. */
export class TimeBudget {
  #leftMs: number

  constructor(totalMs: number) {
    this.#leftMs = totalMs
  }

  /** Never negative. */
  get leftMs(): number {
    return Math.max(0, this.#leftMs)
  }

  /** Runs `work` and takes what it computed off the budget. It is told how much there is, and has to keep to it by itself. */
  spend<T>(work: (leftMs: number) => T): T {
    const startedAt = cpuMs()
    try {
      return work(this.leftMs)
    } finally {
      this.#leftMs -= cpuMs() - startedAt
    }
  }
}
