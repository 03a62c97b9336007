/** A session as its limits see it. */
export interface HeldSession {
  readonly key: string
  /** Whose it is: a person at a provider, or a token. */
  readonly holder: string
  /** Epoch milliseconds. */
  readonly usedAt: number
}

/** How many sessions are kept at a time. */
export interface SessionLimits {
  readonly perHolder: number
  readonly total: number
}

/** Sessions that are kept at a time: of one person or token, and of all. */
export const SESSION_LIMITS: SessionLimits = { perHolder: 20, total: 10_000 }

/**
 * The keys of the sessions that end so that one more of `holder` fits in. Whoever signs in again and again pays with sessions of their own, those that
 * were not used for longest first; somebody else's goes only when the holder has none left to give.
 */
export function surplusSessions(
  live: readonly HeldSession[],
  holder: string,
  { perHolder, total }: SessionLimits = SESSION_LIMITS,
): readonly string[] {
  const oldestFirst = [...live].sort((left, right) => left.usedAt - right.usedAt)
  const own = oldestFirst.filter((session) => session.holder === holder)
  const others = oldestFirst.filter((session) => session.holder !== holder)
  const ownSurplus = Math.max(0, own.length + 1 - perHolder)
  const surplus = Math.max(ownSurplus, live.length + 1 - total)
  return [...own, ...others].slice(0, surplus).map(({ key }) => key)
}
