import type { Command } from 'commander'
import type { Cli } from '../../context.js'

interface Verb {
  readonly name: 'pin' | 'unpin'
  readonly description: string
  readonly effect: string
}

const VERBS: readonly Verb[] = [
  {
    name: 'pin',
    description: 'keep it although its time to live ends',
    effect: 'is pinned: only deleting its branch removes it',
  },
  {
    name: 'unpin',
    description: 'let its time to live end it again',
    effect: 'is not pinned any more: its time to live counts again',
  },
]

/** `tributary env pin <name>` and `tributary env unpin <name>` */
export function addEnvPin(parent: Command, cli: Cli): void {
  for (const { name, description, effect } of VERBS) {
    parent
      .command(name)
      .description(description)
      .argument('<name>')
      .action(async (environment: string, _flags: unknown, command: Command) => {
        const client = await cli.envManager(command)
        await client.patchEnvironment(environment, { pinned: name === 'pin' })
        cli.terminal.print(`${environment} ${effect}`)
      })
  }
}
