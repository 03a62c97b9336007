import type { Command } from 'commander'
import type { Cli } from '../../context.js'

/** `tributary env rollback <name> <service>` */
export function addEnvRollback(parent: Command, cli: Cli): void {
  parent
    .command('rollback')
    .description('bring a service back to an earlier successful run; holds until the next push')
    .argument('<name>')
    .argument('<service>')
    .option('--run <runId>', 'that run (default: the successful one before the current)')
    .action(async (...call: [string, string, { run?: string }, Command]) => {
      const [name, service, { run }, command] = call
      const client = await cli.envManager(command)
      await client.rollbackService(name, service, run === undefined ? {} : { runId: run })
      cli.terminal.print(
        `${name}/${service} goes back to ${run ?? 'the successful run before'}; follow with \`tributary runs watch ${name}\``,
      )
    })
}
