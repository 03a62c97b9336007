import { setTimeout as delay } from 'node:timers/promises'

/** How long to wait for a condition, and how often to look. */
export interface EventuallyOptions {
  /** Default 10,000. */
  readonly timeoutMs?: number
  /** Default 5. */
  readonly intervalMs?: number
}

/**
 * Calls `check` until it does not throw, and answers its result. For conditions that come true by themselves; when the deadline
 * passes it throws what the last check threw.
 */
export async function eventually<T>(check: () => T | Promise<T>, options: EventuallyOptions = {}): Promise<T> {
  const deadline = performance.now() + (options.timeoutMs ?? 10_000)
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() >= deadline) throw error
    }
    await delay(options.intervalMs ?? 5)
  }
}
