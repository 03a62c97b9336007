import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { findRunId } from './find-run.js'

/** `tributary runs rerun <run>` */
export function addRunsRerun(parent: Command, cli: Cli): void {
  parent
    .command('rerun')
    .description('try again what a run did not bring about, with what the branch is like now')
    .argument('<run>', 'run, or environment for its newest')
    .action(async (target: string, _flags: unknown, command: Command) => {
      const client = await cli.envManager(command)
      const runId = await findRunId(client, target, cli.runtime.signal)
      const { environment } = await client.getRun(runId, { signal: cli.runtime.signal })
      await client.rerun(runId)
      cli.terminal.print(`${environment} is tried again; follow with \`tributary watch ${environment}\``)
    })
}
