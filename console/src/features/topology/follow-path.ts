import type { TopologyEdge } from '@tributary/contract'

/** One call on the way of a request; `from` null: it comes in from outside. */
export interface Hop {
  readonly from: string | null
  readonly to: string
}

/**
 * The shortest way of calls from a service (null: from outside, straight to `to`) to another one; observed calls are preferred to those that
 * are only declared when both are as short. Undefined: there is none.
 */
export function pathOf(edges: readonly TopologyEdge[], from: string | null, to: string): readonly Hop[] | undefined {
  if (from === null || from === to) return [{ from: null, to }]
  const cameFrom = new Map<string, string>([[from, from]])
  const callees = calleesOf(edges)
  let border = [from]
  while (border.length > 0 && !cameFrom.has(to)) {
    const next: string[] = []
    for (const caller of border) {
      for (const callee of callees.get(caller) ?? []) {
        if (cameFrom.has(callee)) continue
        cameFrom.set(callee, caller)
        next.push(callee)
      }
    }
    border = next
  }
  return cameFrom.has(to) ? walkBack(cameFrom, from, to) : undefined
}

/** Every way into the system: services that nobody calls. They are where a request may begin. */
export function entriesOf(services: readonly string[], edges: readonly TopologyEdge[]): readonly string[] {
  const called = new Set(edges.filter(({ from, to }) => from !== to).map(({ to }) => to))
  return services.filter((service) => !called.has(service))
}

function calleesOf(edges: readonly TopologyEdge[]): ReadonlyMap<string, readonly string[]> {
  const callees = new Map<string, string[]>()
  const observedFirst = [...edges].sort(
    (left, right) => Number(right.observed !== null) - Number(left.observed !== null),
  )
  for (const { from, to } of observedFirst) callees.set(from, [...(callees.get(from) ?? []), to])
  return callees
}

function walkBack(cameFrom: ReadonlyMap<string, string>, from: string, to: string): readonly Hop[] {
  const hops: Hop[] = []
  for (let at = to; at !== from;) {
    const caller = cameFrom.get(at) ?? from
    hops.unshift({ from: caller, to: at })
    at = caller
  }
  return [{ from: null, to: from }, ...hops]
}
