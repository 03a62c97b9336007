import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { cliError } from '../../errors.js'
import { reportWrite, timed } from '../config/report-write.js'
import { toWriteOptions, writeOptions, type WriteFlags } from '../config/write-options.js'

/** `tributary entries unmask <tenant> <service>` */
export function addEntriesUnmask(parent: Command, cli: Cli): void {
  writeOptions(
    parent
      .command('unmask')
      .description('let an inherited service through again')
      .argument('<tenant>')
      .argument('<service>'),
  ).action(async (...call: [string, string, WriteFlags, Command]) => {
    const [tenant, service, flags, command] = call
    const client = await cli.configCenter(command)
    const entry = await client.getEntry({ tenant, service }, { signal: cli.runtime.signal })
    if (entry.state !== 'masked')
      throw cliError('CLI_NOT_MASKED', `${tenant}/${service} is not masked; it is the tenant’s own entry and stays`)
    // Without the precondition an entry that was registered in the meantime would be deleted.
    const options = { expectedRevision: entry.revision, ...toWriteOptions(flags, cli) }
    const [result, tookMs] = await timed(cli, () => client.deleteEntry({ tenant, service }, options))
    reportWrite(cli, { result, tookMs, what: `${tenant}/${service}`, json: flags.json })
  })
}
