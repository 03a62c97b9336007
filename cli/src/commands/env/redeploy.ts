import type { Command } from 'commander'
import type { Cli } from '../../context.js'

/** `tributary env redeploy <name> [service]` */
export function addEnvRedeploy(parent: Command, cli: Cli): void {
  parent
    .command('redeploy')
    .description('stop services and start them again at the commits that they run; calls fall back meanwhile')
    .argument('<name>')
    .argument('[service]', 'only this one')
    .action(async (...call: [string, string | undefined, unknown, Command]) => {
      const [name, service, , command] = call
      const client = await cli.envManager(command)
      await client.redeploy(name, service === undefined ? {} : { service })
      cli.terminal.print(
        `${service ?? 'every service'} of ${name} starts anew; follow with \`tributary watch ${name}\``,
      )
    })
}
