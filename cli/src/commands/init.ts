import type { Command } from 'commander'
import type { Cli } from '../context.js'

interface InitFlags {
  readonly service?: string
  readonly port?: string
  readonly command?: string
  readonly readiness?: string
  readonly dependsOn?: readonly string[]
  readonly repository?: string
  readonly integrationBranch?: string
  readonly yes?: true
  readonly force?: true
}

/** `tributary init [folder]` */
export function addInit(program: Command, cli: Cli): void {
  program
    .command('init')
    .description('write a first service.yaml and tributary.config.yaml: asks, and proposes what it finds in the folder')
    .argument('[folder]', 'of the service; default: this one')
    .option('--service <name>', 'the service’s name')
    .option('--port <port>', 'that it listens on')
    .option('--command <command>', 'that starts it here')
    .option('--readiness <path>', 'that answers 200 when it can be called, e.g. /readyz')
    .option('--depends-on <service...>', 'services that it calls')
    .option('--repository <url>', 'git repository that the env-manager looks at (default: the folder’s origin)')
    .option('--integration-branch <branch>', 'branch that everybody falls back to')
    .option('--yes', 'ask nothing: take what the options say and what is found')
    .option('--force', 'write over files that are there')
    .action(async (folder: string | undefined, flags: InitFlags) => {
      const { runInit } = await import('../init/run-init.js')
      await runInit(cli, folder ?? '.', flags)
    })
}

/** What `init` was asked to do. */
export type { InitFlags }
