import { backoffMs } from '@tributary/kit'
import type { StreamEnd } from './stream-end.js'

/** Delays of the stream, in milliseconds. */
export interface ReconnectTiming {
  /** First step of the backoff. */
  readonly initialBackoffMs: number
  /** Longest backoff while the config center does not answer. */
  readonly maxBackoffMs: number
  /** Longest backoff after a refusal (401, 403, 404 and the like). */
  readonly maxRefusedBackoffMs: number
  /** A connection that was in step for this long counts as good: the next cut starts at the server's window again. */
  readonly stableAfterMs: number
}

/** The defaults of {@link ReconnectTiming}. */
export const DEFAULT_TIMING: ReconnectTiming = {
  initialBackoffMs: 500,
  maxBackoffMs: 30_000,
  maxRefusedBackoffMs: 60_000,
  stableAfterMs: 5_000,
}

/** Refusals are retried from here on: a token that was just made may take a moment to be known everywhere. */
const REFUSED_INITIAL_FACTOR = 4
/** A server cannot send its clients away for longer. */
const MAX_WINDOW_MS = 300_000

/**
 * When to connect again. After a good connection: a uniformly random moment within the server's window, so that the clients of
 * a restarted server spread. After failures: exponential backoff with full jitter. Never before `Retry-After`.
 */
export class ReconnectPolicy {
  readonly #timing: ReconnectTiming
  readonly #random: () => number
  #failures = 0
  #windowMs = 0

  constructor(timing: ReconnectTiming, random: () => number) {
    this.#timing = timing
    this.#random = random
  }

  /** Takes the window of a `hello`. */
  setWindow(windowMs: number): void {
    this.#windowMs = Math.min(Math.max(0, windowMs), MAX_WINDOW_MS)
  }

  /** The wait after a connection that ended so and had been in step for `inStepMs` (undefined: never). */
  delayAfter(end: StreamEnd, inStepMs: number | undefined): number {
    if (end.reconnectWindowMs !== undefined) this.setWindow(end.reconnectWindowMs)
    if (inStepMs !== undefined && inStepMs >= this.#timing.stableAfterMs) this.#failures = 0
    this.#failures += 1
    const floor = Math.min(end.retryAfterMs ?? 0, MAX_WINDOW_MS)
    return Math.max(floor, this.#jittered(end))
  }

  #jittered(end: StreamEnd): number {
    const { initialBackoffMs, maxBackoffMs, maxRefusedBackoffMs } = this.#timing
    const random = this.#random
    if (end.cause === 'refused') {
      const initialMs = initialBackoffMs * REFUSED_INITIAL_FACTOR
      return backoffMs(this.#failures, { initialMs, maxMs: maxRefusedBackoffMs, random })
    }
    // The window spreads those whom a server's end threw out together; one client's own trouble needs none.
    const alone = end.cause === 'resync' || end.cause === 'behind'
    const spread = this.#failures === 1 && !alone ? random() * this.#windowMs : 0
    const backoff =
      this.#failures === 1
        ? 0
        : backoffMs(this.#failures - 1, { initialMs: initialBackoffMs, maxMs: maxBackoffMs, random })
    return Math.max(spread, backoff)
  }
}
