import type { Command } from 'commander'
import { parseAssignments } from '../../assignments.js'
import type { Cli } from '../../context.js'
import { reportWrite, timed } from './report-write.js'
import { showImpact } from './show-impact.js'
import { expected, toWriteOptions, writeOptions, type WriteFlags } from './write-options.js'

/** `tributary config set <tenant> <service> key=value…` */
export function addConfigSet(parent: Command, cli: Cli): void {
  writeOptions(
    parent
      .command('set')
      .description('set values of a tenant’s own document')
      .argument('<tenant>')
      .argument('<service>', 'or * for the tenant-wide document')
      .argument('<assignments...>', 'pageSize=50 limits.perUser=10 tags=\'["a"]\': JSON where it is JSON, else text'),
  ).action(async (...call: [string, string, string[], WriteFlags, Command]) => {
    const [tenant, service, assignments, flags, command] = call
    const patch = parseAssignments(assignments)
    const client = await cli.configCenter(command)
    if (flags.dryRun) {
      const change = { op: 'patch-document', tenant, service, patch, ...expected(flags) } as const
      return showImpact(cli, { impact: (options) => client.checkImpact({ changes: [change] }, options), flags })
    }
    const [result, tookMs] = await timed(cli, () =>
      client.patchDocument({ tenant, service }, patch, toWriteOptions(flags, cli)),
    )
    reportWrite(cli, { result, tookMs, what: `${tenant}/${service}`, json: flags.json })
  })
}
