import { createHash } from 'node:crypto'

/** An environment that a pass would remove. */
export interface Removal {
  readonly name: string
  readonly generation: number
}

/** May a pass remove what it found gone? */
export type BreakerDecision =
  { readonly state: 'allowed' } | { readonly state: 'frozen'; readonly approvalId: string; readonly reason: string }

/** Removals in one pass that need no question however few environments there are. */
const ALWAYS_ALLOWED = 5
const ALLOWED_SHARE = 0.2

/**
 * Stops a pass that would remove more than max(5, 20 %) of `total` environments, until a person approves exactly that set:
 * an approval names the set's id, so it is worth nothing for any other set.
 */
export function decideRemovals(input: {
  readonly removals: readonly Removal[]
  readonly total: number
  readonly approvedId: string | undefined
}): BreakerDecision {
  const { removals, total, approvedId } = input
  const limit = Math.max(ALWAYS_ALLOWED, Math.floor(total * ALLOWED_SHARE))
  const approvalId = approvalIdOf(removals)
  if (removals.length <= limit || approvedId === approvalId) return { state: 'allowed' }
  const reason = `one pass would remove ${removals.length} of ${total} environments (more than ${limit}); nothing is removed until somebody approves exactly these`
  return { state: 'frozen', approvalId, reason }
}

/** Identifies a set of removals, whatever its order. */
export function approvalIdOf(removals: readonly Removal[]): string {
  const lines = removals.map(({ name, generation }) => `${name} ${generation}`).sort()
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16)
}
