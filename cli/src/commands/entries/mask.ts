import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { reportWrite, timed } from '../config/report-write.js'
import { toWriteOptions, writeOptions, type WriteFlags } from '../config/write-options.js'

/** `tributary entries mask <tenant> <service>` */
export function addEntriesMask(parent: Command, cli: Cli): void {
  writeOptions(
    parent
      .command('mask')
      .description('hide an inherited service: calls to it fail instead of falling back')
      .argument('<tenant>')
      .argument('<service>'),
  ).action(async (...call: [string, string, WriteFlags, Command]) => {
    const [tenant, service, flags, command] = call
    const client = await cli.configCenter(command)
    const [result, tookMs] = await timed(cli, () => client.maskEntry({ tenant, service }, toWriteOptions(flags, cli)))
    reportWrite(cli, { result, tookMs, what: `${tenant}/${service}`, json: flags.json })
  })
}
