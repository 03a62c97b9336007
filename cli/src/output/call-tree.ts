import type { Topology, TopologyEdge, TopologyNode } from '@tributary/contract'
import { NONE, stateTone } from './format.js'
import type { Style, Tone } from './style.js'

/** A sign for each state, so that it is told apart without colours too. */
export const STATE_SIGNS: Readonly<Record<TopologyNode['state'], string>> = {
  own: '●',
  inherited: '○',
  masked: '⊘',
  missing: '✗',
}

/** What the tree is drawn for. */
export interface TreeOptions {
  readonly style: Style
  /** What a line may be wide; 0: as wide as it gets. */
  readonly columns: number
}

/** One line before it is fitted: what stands in front, and parts of which the last give way first, but for what is wrong. */
interface TreeLine {
  readonly lead: string
  readonly parts: readonly { readonly text: string; readonly tone?: Tone }[]
}

/**
 * Draws an environment's services as a tree of who calls whom, from those that nobody calls. A service that has been drawn before, or
 * that calls back one above it, is named again but not opened again. Lines that are too wide lose what matters least.
 */
export function renderCallTree(topology: Pick<Topology, 'nodes' | 'edges'>, { style, columns }: TreeOptions): string {
  return treeLines(topology)
    .map((line) => fit(line, { style, columns }))
    .join('\n')
}

function treeLines({ nodes, edges }: Pick<Topology, 'nodes' | 'edges'>): readonly TreeLine[] {
  const known = new Map(nodes.map((node) => [node.service, node]))
  const lines: TreeLine[] = []
  const open = new Set<string>()
  const draw = (service: string, indent: string): void => {
    open.add(service)
    const calls = edges.filter(({ from }) => from === service)
    for (const [index, edge] of calls.entries()) {
      const isLast = index === calls.length - 1
      const again = open.has(edge.to)
      const parts = [...nodeParts(edge.to, known.get(edge.to), again), ...edgeParts(edge)]
      lines.push({ lead: `${indent}${isLast ? '└─ ' : '├─ '}`, parts })
      if (!again) draw(edge.to, `${indent}${isLast ? '   ' : '│  '}`)
    }
  }
  const start = (service: string): void => {
    if (open.has(service)) return
    lines.push({ lead: '', parts: nodeParts(service, known.get(service), false) })
    draw(service, '')
  }
  for (const service of rootsFirst({ nodes, edges })) start(service)
  return lines
}

/** Those that nobody calls, then what is left: rings that nothing leads into. */
function rootsFirst({ nodes, edges }: Pick<Topology, 'nodes' | 'edges'>): readonly string[] {
  const called = new Set(edges.filter(({ from, to }) => from !== to).map(({ to }) => to))
  const services = [...new Set([...nodes.map(({ service }) => service), ...edges.map(({ from }) => from)])]
  return [...services.filter((service) => !called.has(service)), ...services]
}

function nodeParts(service: string, node: TopologyNode | undefined, again: boolean): TreeLine['parts'] {
  const state = node?.state ?? 'missing'
  const name = { text: `${STATE_SIGNS[state]} ${service}`, tone: stateTone(state) }
  if (again) return [name, { text: '(see above)', tone: 'quiet' }]
  if (node === undefined || state === 'missing') return [name, { text: 'nobody has it', tone: 'bad' }]
  if (state === 'masked') return [name, { text: `masked by ${node.owner ?? NONE}`, tone: 'warn' }]
  const health = node.health === 'healthy' ? [] : [{ text: node.health, tone: stateTone(node.health) }]
  const owner = state === 'own' ? [] : [{ text: `of ${node.owner ?? NONE}`, tone: 'quiet' as const }]
  return [name, ...health, ...owner, ...(node.version === null ? [] : [{ text: node.version }])]
}

function edgeParts({ declared, observed }: TopologyEdge): TreeLine['parts'] {
  const undeclared = declared ? [] : [{ text: 'not declared', tone: 'warn' as const }]
  if (observed === null) return undeclared
  const { calls, errors, leaks, latency } = observed
  return [
    ...(leaks > 0 ? [{ text: `${leaks} leaked out of the environment`, tone: 'bad' as const }] : []),
    ...(errors > 0 ? [{ text: `${errors} failed`, tone: 'bad' as const }] : []),
    ...undeclared,
    { text: `${calls} ${calls === 1 ? 'call' : 'calls'}` },
    ...(latency === null ? [] : [{ text: `p50 ${latency.p50Ms} ms, p95 ${latency.p95Ms} ms`, tone: 'quiet' as const }]),
  ]
}

const GAP = '  '

function fit({ lead, parts }: TreeLine, { style, columns }: TreeOptions): string {
  const kept = [...parts]
  const isTooWide = (): boolean => columns > 0 && lead.length + kept.map(({ text }) => text).join(GAP).length > columns
  while (kept.length > 1 && isTooWide()) {
    // What is wrong stays longest.
    const dispensable = kept.findLastIndex(({ tone }, index) => index > 0 && tone !== 'bad')
    kept.splice(dispensable > 0 ? dispensable : -1, 1)
  }
  const texts = kept.map(({ text, tone }) => (tone === undefined ? text : style(tone, text)))
  return `${style('quiet', lead)}${texts.join(GAP)}`
}
