import type { Run } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { jsonOption } from '../../options.js'
import { age, elapsed, shortSha, stateTone } from '../../output/format.js'
import { renderPairs, renderTable } from '../../output/table.js'
import { findRunId } from './find-run.js'

/** `tributary runs show <run>` */
export function addRunsShow(parent: Command, cli: Cli): void {
  jsonOption(
    parent
      .command('show')
      .description('one run with its steps')
      .argument('<run>', 'run, or environment for its newest'),
  ).action(async (target: string, { json }: { json?: true }, command: Command) => {
    const { signal } = cli.runtime
    const client = await cli.envManager(command)
    const run = await client.getRun(await findRunId(client, target, signal), { signal })
    if (json) cli.terminal.printJson(run)
    else printRun(cli, run)
  })
}

/** Prints one run with its steps for people. */
export function printRun({ terminal, runtime }: Cli, run: Run): void {
  const { style, print } = terminal
  const now = runtime.clock.now()
  print(`${style('strong', run.runId)}  ${style(stateTone(run.state), run.state)}`)
  const commits = run.commits.map(({ repository, commitSha }) => `${repository}@${shortSha(commitSha)}`)
  print(
    renderPairs(style, [
      ['environment', `${run.environment} (generation ${run.generation})`],
      ['what', `${run.kind} because of ${run.trigger}`],
      ['commits', commits.join(', ')],
      ['started', age(run.startedAt, now)],
      ['took', elapsed(run.startedAt, run.finishedAt, now)],
    ]),
  )
  const rows = run.steps.map((step) => [
    step.name,
    step.service ?? '',
    style(stateTone(step.state), step.state),
    elapsed(step.startedAt, step.finishedAt, now),
    step.message ?? '',
  ])
  print(`\n${renderTable(style, ['step', 'service', 'state', 'took', 'message'], rows)}`)
  if (run.error !== null) print(`\n${style('bad', '!')} ${run.error.message}`)
}
