import { InvalidArgumentError, type Command } from 'commander'
import type { Cli } from '../context.js'
import { helpNote } from '../output/help-text.js'

interface UpFlags {
  readonly config: string
  readonly data?: string
  readonly port: number
  readonly envManagerPort: number
  readonly gatewayPort?: number
  readonly keepWorkloads?: true
  readonly stopOnStdinEnd?: true
}

/** `tributary up` */
export function addUp(program: Command, cli: Cli): void {
  program
    .command('up')
    .description('start config center, env-manager and gateway on this machine, until Ctrl-C')
    .option('--config <file>', 'names the git repositories', 'tributary.config.yaml')
    .option('--port <port>', 'of the config center; 0: any free one', parsePort, 7400)
    .option('--env-manager-port <port>', 'of the env-manager; 0: any free one', parsePort, 7401)
    .option(
      '--gateway-port <port>',
      'of the preview URLs; 0: any free one (default: as configured, else 7480)',
      parsePort,
    )
    .option('--keep-workloads', 'at the end leave the services running; the next `up` adopts them')
    .option('--stop-on-stdin-end', 'stop when standard input ends: when the program that started this one is gone')
    .addHelpText(
      'after',
      helpNote('Data (stores, git mirrors, checkouts, logs) is kept in the folder --data, default .tributary.'),
    )
    .action(async (_flags: unknown, command: Command) => {
      const { runUp } = await import('../up/run-up.js')
      await runUp(cli, command.optsWithGlobals<UpFlags>())
    })
}

/** What `up` was asked to do. */
export type { UpFlags }

const MAX_PORT = 65_535

function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > MAX_PORT)
    throw new InvalidArgumentError(`a port is a number from 0 to ${MAX_PORT}`)
  return port
}
