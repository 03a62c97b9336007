import type { TenantConfig } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { badValue } from '../../errors.js'
import { parseObject, readInput } from './read-object.js'
import { reportWrite, timed } from './report-write.js'
import { showImpact } from './show-impact.js'
import { noteOptions, toWriteOptions, trialOptions, type WriteFlags } from './write-options.js'

type ImportFlags = WriteFlags & { readonly prune?: true }

/** `tributary config import <tenant> <file>` */
export function addConfigImport(parent: Command, cli: Cli): void {
  trialOptions(
    noteOptions(
      parent
        .command('import')
        .description('make a tenant’s own documents what an exported file says, in one write')
        .argument('<tenant>')
        .argument('<file>', 'YAML or JSON as `config export` writes it; - reads standard input')
        .option('--prune', 'also delete the documents that the file does not name'),
      { expectedRevision: false },
    ),
  ).action(async (...call: [string, string, ImportFlags, Command]) => {
    const [tenant, file, flags, command] = call
    const config = tenantConfigOf(parseObject(await readInput(cli, file), file), file)
    const client = await cli.configCenter(command)
    const prune = flags.prune === undefined ? {} : { prune: true }
    if (flags.dryRun) {
      return showImpact(cli, {
        impact: (options) => client.previewImport(tenant, config, { ...prune, ...options }),
        flags,
      })
    }
    const options = { ...prune, ...toWriteOptions(flags, cli) }
    const [result, tookMs] = await timed(cli, () => client.importConfig(tenant, config, options))
    reportWrite(cli, { result, tookMs, what: tenant, json: flags.json })
  })
}

/** The server checks the rest, and names the field that is wrong. */
function tenantConfigOf(value: Record<string, unknown>, file: string): TenantConfig {
  if (isTenantConfig(value)) return value
  throw badValue(
    `cannot use ${file}: it does not say kind: TenantConfig with documents; write it as \`tributary config export\` does`,
  )
}

function isTenantConfig(value: Record<string, unknown>): value is TenantConfig {
  const { kind, documents } = value
  return kind === 'TenantConfig' && typeof documents === 'object' && documents !== null
}
