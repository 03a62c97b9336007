import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { jsonOption } from '../../options.js'
import { printLayers } from '../config/explain.js'

/** `tributary entries explain <tenant> <service>` */
export function addEntriesExplain(parent: Command, cli: Cli): void {
  jsonOption(
    parent
      .command('explain')
      .description('why a tenant sees this entry: the whole stack of the chain')
      .argument('<tenant>')
      .argument('<service>'),
  ).action(async (...call: [string, string, { json?: true }, Command]) => {
    const [tenant, service, { json }, command] = call
    const client = await cli.configCenter(command)
    const explanation = await client.explain(tenant, { service }, { signal: cli.runtime.signal })
    if (json) cli.terminal.printJson(explanation)
    else printLayers(cli, explanation)
  })
}
