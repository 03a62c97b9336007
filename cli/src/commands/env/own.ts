import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { badValue } from '../../errors.js'

/** `tributary env own <name> [owner]` */
export function addEnvOwn(parent: Command, cli: Cli): void {
  parent
    .command('own')
    .description('name its owner, so that lists of one’s own show it; it gives no right')
    .argument('<name>')
    .argument('[owner]', 'as "Ann Lee", ann@example.org or "Ann Lee <ann@example.org>"')
    .option('--pusher', 'nobody in particular: who pushed last, as at first')
    .action(async (...call: [string, string | undefined, { pusher?: true }, Command]) => {
      const [name, owner, { pusher }, command] = call
      if ((owner === undefined) === (pusher === undefined)) {
        throw badValue(`cannot name the owner of ${name}; give an owner or --pusher, one of the two`)
      }
      const client = await cli.envManager(command)
      const environment = await client.patchEnvironment(name, { owner: owner ?? null })
      const shown = environment.owner?.name ?? 'nobody yet'
      cli.terminal.print(`${name} belongs to ${shown}${pusher === undefined ? '' : ', who pushed last'}`)
    })
}
