import { setTimeout as delay } from 'node:timers/promises'

/** Time as a dependency, so that tests decide it. */
export interface Clock {
  /** Wall clock, epoch milliseconds. For display and records only, never for ordering or durations. */
  now(): number
  /** Monotonic milliseconds since an arbitrary start. For durations and deadlines. */
  monotonicMs(): number
  /** Resolves after `ms`; rejects with the signal's reason when `signal` aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal })
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : error
    }
  },
}
