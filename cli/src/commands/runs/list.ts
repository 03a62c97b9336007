import type { Run } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { jsonOption, parseCount } from '../../options.js'
import { age, elapsed, stateTone } from '../../output/format.js'
import { renderFittingTable } from '../../output/table.js'

/** `tributary runs list [environment]` */
export function addRunsList(parent: Command, cli: Cli): void {
  jsonOption(
    parent
      .command('list', { isDefault: true })
      .alias('ls')
      .description('the newest runs')
      .argument('[environment]', 'only of this one')
      .option('--limit <count>', 'how many', parseCount(1), 20),
  ).action(async (environment: string | undefined, flags: { limit: number; json?: true }, command: Command) => {
    const client = await cli.envManager(command)
    const query = { limit: flags.limit, ...(environment === undefined ? {} : { environment }) }
    const answer = await client.listRuns(query, { signal: cli.runtime.signal })
    if (flags.json) cli.terminal.printJson(answer)
    else printRuns(cli, answer.runs)
  })
}

function printRuns({ terminal, runtime }: Cli, runs: readonly Run[]): void {
  if (runs.length === 0) return terminal.print('No runs yet.')
  const now = runtime.clock.now()
  const rows = runs.map((run) => [
    run.runId,
    run.environment,
    run.kind,
    terminal.style(stateTone(run.state), run.state),
    run.trigger,
    age(run.startedAt, now),
    elapsed(run.startedAt, run.finishedAt, now),
  ])
  const head = ['run', 'environment', 'kind', 'state', 'trigger', 'started', 'took']
  const { columns } = runtime.stdout
  terminal.print(renderFittingTable(terminal.style, { head, rows, optional: ['took', 'trigger'], columns }))
}
