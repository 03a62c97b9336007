import type { Run, RunStep } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { cliError } from '../../errors.js'
import { elapsed, stateTone } from '../../output/format.js'
import { findRunId } from './find-run.js'
import { logText } from './log-text.js'

/** `tributary runs watch <run>` */
export function addRunsWatch(parent: Command, cli: Cli): void {
  parent
    .command('watch')
    .description('follow a run step by step until it ends: exit 0 when it succeeded')
    .argument('<run>', 'run, or environment for its newest')
    .option('--logs', 'show its log lines too')
    .action(async (target: string, { logs }: { logs?: true }, command: Command) => {
      const { signal } = cli.runtime
      const client = await cli.envManager(command)
      const runId = await findRunId(client, target, signal)
      const printed = new Set<string>()
      for await (const event of client.followRun(runId, { follow: true }, signal)) {
        if (event.kind === 'run') showProgress(cli, event.run, printed)
        else if (logs) cli.terminal.print(logText(cli, event.line))
      }
      if (!signal.aborted) conclude(cli, await client.getRun(runId, { signal }), printed)
    })
}

/** Prints each step once, when it has ended; the one that runs is the progress line. */
function showProgress({ terminal, runtime }: Cli, run: Run, printed: Set<string>): void {
  for (const step of run.steps) {
    const name = stepName(step)
    if (step.finishedAt === null || step.state === 'skipped' || printed.has(name)) continue
    printed.add(name)
    terminal.endProgress()
    const took = elapsed(step.startedAt, step.finishedAt, runtime.clock.now())
    const { style } = terminal
    terminal.print(
      `${style(stateTone(step.state), step.state.padEnd(9))} ${took.padStart(8)}  ${name}${step.message === null ? '' : `: ${step.message}`}`,
    )
  }
  const running = run.steps.find(({ state }) => state === 'running')
  if (running !== undefined) terminal.progress(`running: ${stepName(running)}`)
}

function conclude(cli: Cli, run: Run, printed: Set<string>): void {
  showProgress(cli, run, printed)
  cli.terminal.endProgress()
  const took = elapsed(run.startedAt, run.finishedAt, cli.runtime.clock.now())
  if (run.state === 'succeeded') return cli.terminal.print(`${run.kind} of ${run.environment} succeeded in ${took}`)
  const cause = run.error?.message ?? `it ended as ${run.state}`
  throw cliError(
    'CLI_RUN_FAILED',
    `${run.kind} of ${run.environment} did not succeed; ${cause}; see \`tributary runs logs ${run.runId}\``,
  )
}

function stepName({ name, service }: RunStep): string {
  return service === undefined ? name : `${name} ${service}`
}
