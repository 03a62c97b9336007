import type { ObservedLeak, ProbeAnswer, ProbedEdge, Topology, TopologyNode } from '@tributary/contract'

/** What came back of one probe: the first service's answer, or why there was none. */
export type ProbeOutcome =
  { readonly answer: ProbeAnswer; readonly error?: never } | { readonly answer?: never; readonly error: string }

/** One probe: it enters at `from` and is passed on to `to`. */
export interface PlannedProbe {
  readonly from: string
  readonly to: string
}

/** The probes of an environment: one for each declared edge whose caller is there, ordered by name. Pure. */
export function planProbes({ edges, nodes }: Pick<Topology, 'edges' | 'nodes'>): PlannedProbe[] {
  const there = new Set(nodes.filter(isThere).map(({ service }) => service))
  return edges.filter(({ declared, from }) => declared && there.has(from)).map(({ from, to }) => ({ from, to }))
}

/** What is needed to judge a probe. */
export interface JudgeContext {
  readonly environment: string
  readonly nodes: readonly TopologyNode[]
}

/**
 * What a probe says about the way into its first service, and about the edge from there. The second is `unreached` when the first does not
 * hold: nothing can be said of what lies behind. Pure.
 */
export function judgeProbe(
  { from, to }: PlannedProbe,
  outcome: ProbeOutcome,
  context: JudgeContext,
): readonly [entry: ProbedEdge, edge: ProbedEdge] {
  const entry = judgeHop({ from: null, to: from, ...answered(outcome.answer, outcome.error) }, context)
  const next = outcome.answer?.next
  if (entry.result !== 'carried' || next === undefined || next === null) {
    return [entry, unreached({ from, to }, context)]
  }
  return [entry, judgeHop({ from, to, ...answered(next.answer, next.error) }, context)]
}

/** Edges where real calls lost the environment lately are lost, however well the probe went: it runs none of the program's code. Pure. */
export function withLeaks(edges: readonly ProbedEdge[], leaks: readonly ObservedLeak[]): ProbedEdge[] {
  const judged = edges.map((edge) => {
    const leak = leaks.find(({ from, to }) => from === edge.from && to === edge.to)
    return leak === undefined ? edge : { ...edge, result: 'lost' as const, detail: leakText(leak) }
  })
  const known = new Set(edges.map(({ from, to }) => `${from}\n${to}`))
  const undeclared = leaks.filter(({ from, to }) => from !== null && !known.has(`${from}\n${to}`))
  const named = new Map(undeclared.map((leak) => [`${leak.from}\n${leak.to}`, leak]))
  const more = [...named.values()].map((leak) => ({
    from: leak.from,
    to: leak.to,
    result: 'lost' as const,
    expectedOwner: null,
    answeredBy: null,
    detail: `not declared; ${leakText(leak)}`,
  }))
  return [...judged, ...more]
}

interface Hop {
  readonly from: string | null
  readonly to: string
  readonly answer: ProbeAnswer | null
  readonly error: string | null
}

function answered(answer: ProbeAnswer | null | undefined, error: string | null | undefined) {
  return { answer: answer ?? null, error: error ?? null }
}

function judgeHop({ from, to, answer, error }: Hop, { environment, nodes }: JudgeContext): ProbedEdge {
  const node = nodes.find(({ service }) => service === to)
  const expectedOwner = node?.owner ?? null
  const edge = { from, to, expectedOwner, answeredBy: answer?.tenant ?? null }
  if (node?.state === 'masked') return judgeMasked(edge)
  if (answer === null) return { ...edge, result: 'unanswered', detail: error ?? 'nothing came back' }
  if (answer.service !== to || answer.tenant !== expectedOwner) {
    const right = expectedOwner === null ? 'nobody' : `${expectedOwner}/${to}`
    return { ...edge, result: 'lost', detail: `${answer.tenant}/${answer.service} answered instead of ${right}` }
  }
  if (answer.contextTenant !== environment) {
    const taken = answer.contextTenant === null ? 'no environment' : answer.contextTenant
    return {
      ...edge,
      result: 'lost',
      detail: `${answer.tenant}/${to} answered, but took the request for one of ${taken}`,
    }
  }
  return { ...edge, result: 'carried', detail: `${answer.tenant}/${to} answered for ${environment}` }
}

/** A masked service has no address, on purpose: then an answer is the mistake. */
function judgeMasked(edge: Omit<ProbedEdge, 'result' | 'detail'>): ProbedEdge {
  if (edge.answeredBy === null) return { ...edge, result: 'carried', detail: 'masked: the call fails, on purpose' }
  return { ...edge, result: 'lost', detail: `${edge.answeredBy}/${edge.to} answered although ${edge.to} is masked` }
}

function unreached({ from, to }: PlannedProbe, { nodes }: JudgeContext): ProbedEdge {
  const expectedOwner = nodes.find(({ service }) => service === to)?.owner ?? null
  const detail = `the probe did not get through ${from}`
  return { from, to, result: 'unreached', expectedOwner, answeredBy: null, detail }
}

function leakText({ kind, count, route, seenIn, lastSeenAt }: ObservedLeak): string {
  const calls = count === 1 ? '1 real call' : `${count} real calls`
  return `${calls} lost the environment (${kind}, ${route} in ${seenIn.tenant}/${seenIn.service}), last at ${lastSeenAt}`
}

function isThere({ state, endpoints }: TopologyNode): boolean {
  return (state === 'own' || state === 'inherited') && endpoints.length > 0
}
