import type { Command } from 'commander'
import type { Cli } from '../../context.js'

/** `tributary env sleep <name>` and `tributary env wake <name>` */
export function addEnvSleep(parent: Command, cli: Cli): void {
  parent
    .command('sleep')
    .description('stop its services; config, tenant and address stay, and calls fall back')
    .argument('<name>')
    .action(async (name: string, _flags: unknown, command: Command) => {
      await (await cli.envManager(command)).sleepEnvironment(name)
      cli.terminal.print(
        `${name} falls asleep; a push, a request to its address or \`tributary env wake ${name}\` wakes it`,
      )
    })
  parent
    .command('wake')
    .description('start the services of a sleeping environment')
    .argument('<name>')
    .action(async (name: string, _flags: unknown, command: Command) => {
      await (await cli.envManager(command)).wakeEnvironment(name)
      cli.terminal.print(`${name} wakes; \`tributary env wait ${name}\` returns when it is ready`)
    })
}
