import type { EnvManagerClient } from '@tributary/client'
import type { StateRequested } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { jsonOption } from '../../options.js'

interface Verb {
  readonly name: 'sleep' | 'wake'
  readonly description: string
  readonly request: (client: EnvManagerClient, environment: string) => Promise<StateRequested>
  readonly done: (environment: string) => string
  /** What is said when it is so already. */
  readonly already: (environment: string) => string
}

const VERBS: readonly Verb[] = [
  {
    name: 'sleep',
    description: 'stop its services; config, tenant and address stay, and calls fall back',
    request: (client, environment) => client.sleepEnvironment(environment),
    done: (environment) => `${environment} falls asleep; ${wakers(environment)}`,
    already: (environment) => `${environment} is asleep already; ${wakers(environment)}`,
  },
  {
    name: 'wake',
    description: 'start the services of a sleeping environment',
    request: (client, environment) => client.wakeEnvironment(environment),
    done: (environment) => `${environment} wakes; \`tributary env wait ${environment}\` returns when it is ready`,
    already: (environment) => `${environment} is awake already; \`tributary env show ${environment}\` shows how it is`,
  },
]

/** `tributary env sleep <name>` and `tributary env wake <name>` */
export function addEnvSleep(parent: Command, cli: Cli): void {
  for (const { name, description, request, done, already } of VERBS) {
    jsonOption(parent.command(name).description(description).argument('<name>')).action(
      async (environment: string, flags: { json?: true }, command: Command) => {
        const answer = await request(await cli.envManager(command), environment)
        if (flags.json) return cli.terminal.printJson(answer)
        cli.terminal.print((answer.changed ? done : already)(environment))
      },
    )
  }
}

function wakers(environment: string): string {
  return `a push, a request to its address or \`tributary env wake ${environment}\` wakes it`
}
