import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { findRunId } from './find-run.js'
import { logText } from './log-text.js'
import { runFailure, RunProgress } from './run-progress.js'

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
      const progress = new RunProgress(cli)
      for await (const event of client.followRun(runId, { follow: true }, signal)) {
        if (event.kind === 'run') progress.show(event.run)
        else if (logs) cli.terminal.print(logText(cli, event.line))
      }
      if (signal.aborted) return
      const run = await client.getRun(runId, { signal })
      progress.show(run)
      cli.terminal.endProgress()
      if (run.state !== 'succeeded') throw runFailure(run)
      progress.end(run)
    })
}
