import type { Change } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { parseObject, readInput } from './read-object.js'
import { reportWrite, timed } from './report-write.js'
import { showImpact } from './show-impact.js'
import { expected, toWriteOptions, writeOptions, type WriteFlags } from './write-options.js'

type PatchFlags = WriteFlags & { readonly replace?: true }

/** `tributary config patch <tenant> <service> <file>` */
export function addConfigPatch(parent: Command, cli: Cli): void {
  writeOptions(
    parent
      .command('patch')
      .description('apply a merge patch (RFC 7396) from a file: null removes, arrays replace')
      .argument('<tenant>')
      .argument('<service>', 'or * for the tenant-wide document')
      .argument('<file>', 'JSON or YAML; - reads standard input')
      .option('--replace', 'the file is the whole document, not a patch'),
  ).action(async (...call: [string, string, string, PatchFlags, Command]) => {
    const [tenant, service, file, flags, command] = call
    const data = parseObject(await readInput(cli, file), file)
    const client = await cli.configCenter(command)
    if (flags.dryRun) {
      const place = { tenant, service, ...expected(flags) }
      const change: Change = flags.replace
        ? { op: 'apply-document', data, ...place }
        : { op: 'patch-document', patch: data, ...place }
      return showImpact(cli, { impact: (options) => client.checkImpact({ changes: [change] }, options), flags })
    }
    const options = toWriteOptions(flags, cli)
    const [result, tookMs] = await timed(cli, () =>
      flags.replace
        ? client.applyDocument({ tenant, service }, data, options)
        : client.patchDocument({ tenant, service }, data, options),
    )
    reportWrite(cli, { result, tookMs, what: `${tenant}/${service}`, json: flags.json })
  })
}
