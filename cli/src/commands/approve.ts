import type { Command } from 'commander'
import type { Cli } from '../context.js'

/** `tributary approve <approvalId>` */
export function addApprove(program: Command, cli: Cli): void {
  program
    .command('approve')
    .description('let a mass deletion go on that the env-manager has stopped')
    .argument('<approvalId>', 'as `tributary status` shows it')
    .action(async (approvalId: string, _flags: unknown, command: Command) => {
      const client = await cli.envManager(command)
      await client.approveDeletions(approvalId)
      cli.terminal.print('approved: the deletions go on')
    })
}
