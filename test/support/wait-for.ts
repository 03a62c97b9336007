import { setTimeout as delay } from 'node:timers/promises'

/**
 * Polls until `probe` gives something other than undefined or false, and returns it. A probe that throws has not succeeded yet; its
 * last error is part of the message when the deadline passes.
 */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  { timeoutMs = 30_000, everyMs = 25 }: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  let lastError: unknown
  while (performance.now() < deadline) {
    try {
      const value = await probe()
      if (value !== undefined && value !== false) return value
      lastError = undefined
    } catch (error) {
      lastError = error
    }
    await delay(everyMs)
  }
  const because = lastError instanceof Error ? `; the last try failed: ${lastError.message}` : ''
  throw new Error(`${what}: not within ${timeoutMs} ms${because}`)
}
