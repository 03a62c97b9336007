import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import type { Cli } from '../../context.js'
import { badValue } from '../../errors.js'
import { jsonOption } from '../../options.js'

/** `tributary config export <tenant> [file]` */
export function addConfigExport(parent: Command, cli: Cli): void {
  jsonOption(
    parent
      .command('export')
      .description('a tenant’s own documents as YAML, to be kept in a file or imported elsewhere')
      .argument('<tenant>')
      .argument('[file]', 'where to write it; left out: standard output'),
  ).action(async (...call: [string, string | undefined, { readonly json?: true }, Command]) => {
    const [tenant, file, flags, command] = call
    const client = await cli.configCenter(command)
    const config = await client.exportConfig(tenant, { signal: cli.runtime.signal })
    const text = flags.json
      ? `${JSON.stringify(config, undefined, 2)}\n`
      : stringify(config, { sortMapEntries: true, lineWidth: 0 })
    if (file === undefined) return cli.terminal.print(text.trimEnd())
    const path = resolve(cli.runtime.cwd, file)
    await writeFile(path, text).catch((error: unknown) => {
      throw badValue(`cannot write ${path}; ${error instanceof Error ? error.message : String(error)}`)
    })
    const count = Object.keys(config.documents).length
    cli.terminal.print(`${tenant}: ${count} ${count === 1 ? 'document' : 'documents'} written to ${path}`)
  })
}
