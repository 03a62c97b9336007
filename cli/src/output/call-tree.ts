import type { Topology, TopologyEdge } from '@tributary/contract'
import { stateTone } from './format.js'
import type { Style } from './style.js'

/**
 * Draws who calls whom as a tree from the services that nobody calls. A service that has been drawn before, or that calls back one
 * above it, is named again but not opened again.
 */
export function renderCallTree(style: Style, topology: Pick<Topology, 'nodes' | 'edges'>): string {
  const states = new Map(topology.nodes.map(({ service, state }) => [service, state]))
  const name = (service: string): string => style(stateTone(states.get(service) ?? 'missing'), service)
  const lines: string[] = []
  const open = new Set<string>()
  const draw = (service: string, indent: string): void => {
    open.add(service)
    const calls = topology.edges.filter(({ from }) => from === service)
    for (const [index, edge] of calls.entries()) {
      const last = index === calls.length - 1
      const again = open.has(edge.to)
      lines.push(
        `${indent}${last ? '└─ ' : '├─ '}${name(edge.to)}${edgeText(style, edge)}${again ? style('quiet', ' (see above)') : ''}`,
      )
      if (!again) draw(edge.to, `${indent}${last ? '   ' : '│  '}`)
    }
  }
  const start = (service: string): void => {
    if (open.has(service)) return
    lines.push(name(service))
    draw(service, '')
  }
  const called = new Set(topology.edges.map(({ to }) => to))
  const callers = [...new Set(topology.edges.map(({ from }) => from))]
  for (const service of callers.filter((candidate) => !called.has(candidate))) start(service)
  // What is left calls each other in a ring that nothing leads into.
  for (const service of callers) start(service)
  return lines.join('\n')
}

function edgeText(style: Style, { declared, observed }: TopologyEdge): string {
  const parts: string[] = []
  if (!declared) parts.push(style('warn', 'not declared'))
  if (observed !== null) {
    parts.push(`${observed.calls} ${observed.calls === 1 ? 'call' : 'calls'}`)
    const { latency } = observed
    if (latency !== null) parts.push(`half within ${latency.p50Ms} ms, 95 % within ${latency.p95Ms} ms`)
    if (observed.errors > 0) parts.push(style('bad', `${observed.errors} failed`))
    if (observed.leaks > 0) parts.push(style('bad', `${observed.leaks} leaked out of the environment`))
  }
  return parts.length === 0 ? '' : `  ${parts.join(', ')}`
}
