import type { Command } from 'commander'
import type { Cli } from '../context.js'

/** `tributary hint` */
export function addHint(program: Command, cli: Cli): void {
  program
    .command('hint')
    .description('tell the env-manager to look at git now; losing a hint costs only time')
    .option('--repository <name>', 'as configured (default: all)')
    .option('--branch <name>', 'only this branch')
    .action(async (flags: { repository?: string; branch?: string }, command: Command) => {
      const client = await cli.envManager(command)
      await client.hintGit(flags)
      cli.terminal.print('the env-manager looks now')
    })
}
