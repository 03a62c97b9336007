import type { Condition, ObservedLeak } from '@tributary/contract'
import type { ConditionFinding } from './conditions.js'

/** Type of the condition that says whether calls of an environment keep it. */
export const CONTEXT_PROPAGATED = 'ContextPropagated'

/** How many edges a message names. */
const MAX_NAMED = 5

/**
 * Whether calls of an environment keep it, from the leaks that were seen lately. Counts and traces are left to the topology: with them the
 * condition would be another one at each call. Undefined: there is nothing to say, since no leak was ever seen.
 */
export function contextFinding(
  leaks: readonly ObservedLeak[],
  before: Condition | undefined,
): ConditionFinding | undefined {
  if (leaks.length > 0) return lostFinding(leaks)
  if (before === undefined) return undefined
  const message = 'no call lost the environment in the last minutes'
  return { type: CONTEXT_PROPAGATED, status: 'True', reason: 'NoLeakSeen', message }
}

function lostFinding(leaks: readonly ObservedLeak[]): ConditionFinding {
  const certain = leaks.filter(({ kind }) => kind !== 'suspected')
  const lines = [...new Set((certain.length > 0 ? certain : leaks).map(describeLeak))].sort()
  const more = lines.length > MAX_NAMED ? [`and ${lines.length - MAX_NAMED} more`] : []
  return {
    type: CONTEXT_PROPAGATED,
    status: 'False',
    reason: certain.length > 0 ? 'ContextLost' : 'ContextLossSuspected',
    message: [...lines.slice(0, MAX_NAMED), ...more, 'the topology shows how often, and a trace of each'].join('\n'),
  }
}

function describeLeak({ kind, from, to, route, seenIn }: ObservedLeak): string {
  const edge = `${from ?? 'an unknown caller'} -> ${to}`
  const copy = `${seenIn.tenant}/${seenIn.service}`
  if (kind === 'misrouted')
    return `${edge}: ${copy} got ${route}, which belongs to the environment’s own ${to}; the caller resolved without the routing context`
  if (kind === 'dropped') return `${edge}: ${copy} lost the routing context of the request that it served (${route})`
  return `${edge}: ${copy} called out (${route}) without any routing context while it served requests; if this is work of its own, wrap it in runWithTenant(undefined, …)`
}
