import type { Command } from 'commander'
import type { Cli } from '../../context.js'

/** `tributary env release-finalizers <name>` */
export function addEnvReleaseFinalizers(parent: Command, cli: Cli): void {
  parent
    .command('release-finalizers')
    .description(
      'take finalizers off what holds an environment that is being torn down; what they stand for is not done',
    )
    .argument('<name>')
    .action(async (name: string, _options: unknown, command: Command) => {
      const client = await cli.envManager(command)
      const { released } = await client.releaseFinalizers(name)
      if (released.length === 0) return cli.terminal.print(`nothing of ${name} is held by a finalizer`)
      for (const { object, finalizers } of released) cli.terminal.print(`${object}: took off ${finalizers.join(', ')}`)
    })
}
