import type { PlatformContext } from '../../../ports/platform.js'

const FIRST_MS = 500
const LAST_MS = 5_000

/** How long to wait before looking again at what has been waited for so long, milliseconds: a tenth of it, in bounds. Many may wait at a time. Pure. */
export function lookAgainMs(waitedMs: number): number {
  return Math.min(LAST_MS, Math.max(FIRST_MS, waitedMs / 10))
}

/** Waits where it takes nobody's room, if there is such a place. */
export async function waitAside<T>({ aside }: Pick<PlatformContext, 'aside'>, work: () => Promise<T>): Promise<T> {
  return aside === undefined ? work() : aside(work)
}
