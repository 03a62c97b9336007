import type { ObservedLeak } from '@tributary/contract'
import type { Cli } from '../context.js'
import { age, NONE } from './format.js'
import { renderTable } from './table.js'

/** Calls that lost their environment: which edge, how, where, how often and when, with a trace to look at. */
export function renderLeaks({ terminal: { style }, runtime }: Cli, leaks: readonly ObservedLeak[]): string {
  const rows = leaks.map((leak) => [
    style('bad', `${leak.from ?? '?'} -> ${leak.to}`),
    leak.kind,
    String(leak.count),
    leak.route,
    `${leak.seenIn.tenant}/${leak.seenIn.service}`,
    leak.traceId ?? NONE,
    age(leak.lastSeenAt, runtime.clock.now()),
  ])
  return renderTable(style, ['edge', 'kind', 'calls', 'route', 'lost in', 'trace', 'last seen'], rows)
}
