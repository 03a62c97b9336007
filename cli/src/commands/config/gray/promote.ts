import type { Command } from 'commander'
import type { Cli } from '../../../context.js'
import { reportWrite, timed } from '../report-write.js'
import { plainWriteOptions, toWriteOptions, type WriteFlags } from '../write-options.js'

/** `tributary config gray promote <tenant> <service>` */
export function addGrayPromote(parent: Command, cli: Cli): void {
  plainWriteOptions(
    parent
      .command('promote')
      .description('make what some instances have the document of all')
      .argument('<tenant>')
      .argument('<service>'),
  ).action(async (...call: [string, string, WriteFlags, Command]) => {
    const [tenant, service, flags, command] = call
    const client = await cli.configCenter(command)
    const [result, tookMs] = await timed(cli, () =>
      client.promoteGrayRelease({ tenant, service }, toWriteOptions(flags, cli)),
    )
    reportWrite(cli, { result, tookMs, what: `${tenant}/${service}`, json: flags.json })
  })
}
