import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { jsonOption } from '../../options.js'
import { logText } from './log-text.js'
import { findRunId } from './find-run.js'

/** `tributary runs logs <run>` */
export function addRunsLogs(parent: Command, cli: Cli): void {
  jsonOption(
    parent
      .command('logs')
      .description('the log of a run')
      .argument('<run>', 'run, or environment for its newest')
      .option('-f, --follow', 'go on until the run has ended'),
  ).action(async (target: string, flags: { follow?: true; json?: true }, command: Command) => {
    const { signal } = cli.runtime
    const client = await cli.envManager(command)
    const runId = await findRunId(client, target, signal)
    for await (const event of client.followRun(runId, { follow: flags.follow ?? false }, signal)) {
      if (event.kind !== 'log') continue
      cli.terminal.print(flags.json ? JSON.stringify(event.line) : logText(cli, event.line))
    }
  })
}
