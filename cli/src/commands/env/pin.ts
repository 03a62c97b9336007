import type { Environment } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { jsonOption } from '../../options.js'
import { age } from '../../output/format.js'

interface Verb {
  readonly name: 'pin' | 'unpin'
  readonly description: string
  /** What holds afterwards, whatever held before. */
  readonly effect: (environment: Environment, now: number) => string
}

const VERBS: readonly Verb[] = [
  {
    name: 'pin',
    description: 'keep it although its time to live ends',
    effect: ({ name }) => `${name} is pinned: no time to live ends it`,
  },
  {
    name: 'unpin',
    description: 'let its time to live end it again',
    effect: ({ name, expiresAt }, now) =>
      `${name} is not pinned: ${expiresAt === null ? 'it has no time to live that could end' : `it expires ${age(expiresAt, now)}`}`,
  },
]

/** `tributary env pin <name>` and `tributary env unpin <name>` */
export function addEnvPin(parent: Command, cli: Cli): void {
  for (const { name, description, effect } of VERBS) {
    jsonOption(parent.command(name).description(description).argument('<name>')).action(
      async (target: string, flags: { json?: true }, command: Command) => {
        const client = await cli.envManager(command)
        const environment = await client.patchEnvironment(target, { pinned: name === 'pin' })
        if (flags.json) return cli.terminal.printJson(environment)
        cli.terminal.print(effect(environment, cli.runtime.clock.now()))
      },
    )
  }
}
