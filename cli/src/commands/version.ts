import type { Command } from 'commander'
import { resolve } from 'node:path'
import type { Cli } from '../context.js'
import { CLI_VERSION } from '../version.js'

/** `tributary version [folder]` */
export function addVersion(program: Command, cli: Cli): void {
  program
    .command('version')
    .description('version of what is checked out: v<major>.<minor>-<commits since tag>-<short sha>')
    .argument('[folder]', 'folder in a git repository', '.')
    .option('--cli', 'the version of this program instead')
    .action(async (folder: string, { cli: own }: { cli?: true }) => {
      if (own) return cli.terminal.print(CLI_VERSION)
      const { describeVersionOfDirectory } = await import('@tributary/env-manager')
      const { cwd, env, signal } = cli.runtime
      cli.terminal.print(await describeVersionOfDirectory(resolve(cwd, folder), { signal, host: env }))
    })
}
