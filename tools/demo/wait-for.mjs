import { setTimeout as delay } from 'node:timers/promises'

const POLL_MS = 25

/**
 * Waits until `look` answers something that is not undefined, and answers that. Fails after `timeoutMs`, with what `look` threw last.
 */
export async function waitFor(what, look, { timeoutMs = 30_000, signal } = {}) {
  const deadline = performance.now() + timeoutMs
  let last
  for (;;) {
    signal?.throwIfAborted()
    try {
      const found = await look()
      if (found !== undefined) return found
      last = undefined
    } catch (error) {
      if (error.fatal === true) throw error
      last = error
    }
    if (performance.now() > deadline) {
      throw new Error(
        `${what} did not happen within ${timeoutMs / 1_000} s${last === undefined ? '' : ` (${last.message})`}`,
      )
    }
    await delay(POLL_MS)
  }
}

/** An error that waiting cannot mend. */
export function fatal(message) {
  return Object.assign(new Error(message), { fatal: true })
}
