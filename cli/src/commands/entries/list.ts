import type { ResolvedService, ResolvedView } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { jsonOption } from '../../options.js'
import { endpointList, NONE, stateTone } from '../../output/format.js'
import { renderTable } from '../../output/table.js'

/** `tributary entries list <tenant>` */
export function addEntriesList(parent: Command, cli: Cli): void {
  jsonOption(
    parent
      .command('list')
      .alias('ls')
      .description('every service as the tenant sees it: own, inherited or masked')
      .argument('<tenant>')
      .option('--own', 'only the entries that the tenant itself has'),
  ).action(async (tenant: string, flags: { own?: true; json?: true }, command: Command) => {
    const client = await cli.configCenter(command)
    const { signal } = cli.runtime
    if (flags.own && flags.json) return cli.terminal.printJson(await client.listEntries(tenant, { signal }))
    const view = await client.getView(tenant, { signal })
    if (flags.json) cli.terminal.printJson(view)
    else printServices(cli, view, flags.own ?? false)
  })
}

function printServices({ terminal }: Cli, view: ResolvedView, ownOnly: boolean): void {
  const services = Object.entries(view.services).filter(([, { owner }]) => !ownOnly || owner === view.tenant)
  if (services.length === 0) return terminal.print(`${view.tenant} has no services${ownOnly ? ' of its own' : ''}.`)
  const row = ([name, service]: [string, ResolvedService]): string[] => [
    name,
    terminal.style(stateTone(service.state), service.state),
    service.owner,
    service.version ?? NONE,
    endpointList(service.endpoints),
  ]
  const sorted = services.sort(([left], [right]) => (left < right ? -1 : 1))
  terminal.print(renderTable(terminal.style, ['service', 'state', 'from', 'version', 'address'], sorted.map(row)))
}
