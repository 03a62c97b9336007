import type { Clock } from '@tributary/kit'

interface Sleeper {
  readonly untilMs: number
  readonly wake: () => void
}

/** A clock that stands still until a test advances it. Sleepers wake in the order of their deadlines. */
export class ManualClock implements Clock {
  readonly #startedAt: number
  readonly #sleepers = new Set<Sleeper>()
  #elapsedMs = 0

  /** @param startedAt wall clock at the start, epoch milliseconds. */
  constructor(startedAt = Date.UTC(2026, 0, 1)) {
    this.#startedAt = startedAt
  }

  now(): number {
    return this.#startedAt + this.#elapsedMs
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  /** Number of sleeps that wait for the clock. */
  get sleeping(): number {
    return this.#sleepers.size
  }

  /** Moves both clocks forward and wakes every sleeper whose time has come. */
  advance(ms: number): void {
    this.#elapsedMs += ms
    const due = [...this.#sleepers].filter((sleeper) => sleeper.untilMs <= this.#elapsedMs)
    for (const sleeper of due.sort((left, right) => left.untilMs - right.untilMs)) sleeper.wake()
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason)
      const abort = (): void => {
        this.#sleepers.delete(sleeper)
        reject(signal?.reason)
      }
      const wake = (): void => {
        this.#sleepers.delete(sleeper)
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      const sleeper: Sleeper = { untilMs: this.#elapsedMs + ms, wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }
}
