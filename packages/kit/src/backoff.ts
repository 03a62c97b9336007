/** Bounds of an exponential backoff, in milliseconds. */
export interface BackoffOptions {
  readonly initialMs: number
  readonly maxMs: number
  /** Uniform in [0, 1). Default `Math.random`. */
  readonly random?: () => number
}

/**
 * Delay before retry number `attempt` (1 for the first): uniform in (0, min(maxMs, initialMs * 2^(attempt-1))], at least
 * one millisecond ("full jitter": spreads clients that failed together better than a fixed delay plus noise).
 */
export function backoffMs(attempt: number, options: BackoffOptions): number {
  const ceiling = Math.min(options.maxMs, options.initialMs * 2 ** Math.min(attempt - 1, 52))
  return Math.max(1, Math.ceil((options.random ?? Math.random)() * ceiling))
}
