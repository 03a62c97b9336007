import type { Command } from 'commander'
import type { Cli } from '../../../context.js'
import { reportWrite, timed } from '../report-write.js'
import { plainWriteOptions, toWriteOptions, type WriteFlags } from '../write-options.js'

/** `tributary config gray abort <tenant> <service>` */
export function addGrayAbort(parent: Command, cli: Cli): void {
  plainWriteOptions(
    parent
      .command('abort')
      .description('end a gray release: all instances have what they had before')
      .argument('<tenant>')
      .argument('<service>'),
  ).action(async (...call: [string, string, WriteFlags, Command]) => {
    const [tenant, service, flags, command] = call
    const client = await cli.configCenter(command)
    const [result, tookMs] = await timed(cli, () =>
      client.abortGrayRelease({ tenant, service }, toWriteOptions(flags, cli)),
    )
    reportWrite(cli, { result, tookMs, what: `${tenant}/${service}`, json: flags.json })
  })
}
