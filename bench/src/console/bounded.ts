import { setTimeout as sleep } from 'node:timers/promises'

/** How long anything of this bench may take: many times what it takes on a machine that does nothing else. */
const LIMIT_MS = 30_000

/** Settles as `work` does. @throws Error that names `what`, when it has not come within half a minute. */
export async function within<T>(what: string, work: Promise<T>): Promise<T> {
  const given = new AbortController()
  const late = sleep(LIMIT_MS, undefined, { signal: given.signal }).then(() => {
    throw new Error(`console: ${what} did not come within ${LIMIT_MS / 1000} s`)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    given.abort()
    late.catch(() => undefined)
  }
}
