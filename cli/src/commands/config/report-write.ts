import type { Convergence, WriteResult } from '@tributary/contract'
import type { Cli } from '../../context.js'
import { cliError } from '../../errors.js'
import { duration, NONE } from '../../output/format.js'
import { renderTable } from '../../output/table.js'
import { violationTable } from './show-impact.js'

/** A write that has been answered. */
export interface WriteReport {
  readonly result: WriteResult
  /** What was written, for people: `feature-x/orders`. */
  readonly what: string
  readonly tookMs: number
  readonly json?: true | undefined
}

/** Says what a write did and, after `--wait`, who has it. `CLI_NOT_CONVERGED` when somebody has not. */
export function reportWrite(cli: Cli, { result, what, tookMs, json }: WriteReport): void {
  const { terminal } = cli
  const { storeRevision, changed, convergence, warnings = [] } = result
  if (json) terminal.printJson(result)
  else if (changed) terminal.print(`${what} changed at revision ${storeRevision}`)
  else terminal.print(`${what} is so already (revision ${storeRevision})`)
  if (!json && warnings.length > 0) {
    terminal.print(`\n${terminal.style('warn', 'since this write config breaks its schema:')}`)
    terminal.print(violationTable(cli, warnings))
  }
  if (convergence === undefined) return
  if (!json) terminal.print(convergenceText(cli, convergence, tookMs))
  if (!convergence.converged) {
    throw cliError(
      'CLI_NOT_CONVERGED',
      `${what} is stored at revision ${storeRevision}, but ${convergence.laggards.length} of ${convergence.affected} subscribers have not applied it; look at their logs`,
    )
  }
}

/** Runs a write and measures how long its answer took, in milliseconds. */
export async function timed<T>(cli: Cli, write: () => Promise<T>): Promise<readonly [result: T, tookMs: number]> {
  const startedAt = cli.runtime.clock.monotonicMs()
  const result = await write()
  return [result, cli.runtime.clock.monotonicMs() - startedAt]
}

function convergenceText({ terminal }: Cli, { converged, affected, laggards }: Convergence, tookMs: number): string {
  if (affected === 0) return 'no live subscriber is concerned'
  const have = affected - laggards.length
  const head = `${have} of ${affected} ${affected === 1 ? 'subscriber has' : 'subscribers have'} it after ${duration(tookMs)}`
  if (converged) return terminal.style('good', head)
  const rows = laggards.map((laggard) => [
    laggard.instance,
    laggard.tenant,
    laggard.service ?? NONE,
    laggard.appliedRevision,
    laggard.error ?? 'nothing heard yet',
  ])
  return `${head}\n\n${renderTable(terminal.style, ['behind', 'tenant', 'service', 'at revision', 'why'], rows)}`
}
