import type { ConfigCenterClient } from '@tributary/client'
import type { ResolvedView } from '@tributary/contract'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import { showPath } from '../../assignments.js'
import type { Cli } from '../../context.js'
import { jsonOption } from '../../options.js'
import { oneLineJson } from '../../output/format.js'
import { renderTable } from '../../output/table.js'
import { findOrigins, type OriginLayer } from './origins.js'

interface GetFlags {
  readonly explain?: true
  readonly own?: true
  readonly json?: true
}

/** `tributary config get <tenant> <service>` */
export function addConfigGet(parent: Command, cli: Cli): void {
  jsonOption(
    parent
      .command('get')
      .description('the effective document: all tenants of the chain merged')
      .argument('<tenant>')
      .argument('<service>', 'or * for the tenant-wide document')
      .option('--explain', 'show for each value which tenant and document it comes from')
      .option('--own', 'only what the tenant itself has set'),
  ).action(async (...call: [string, string, GetFlags, Command]) => {
    const [tenant, service, flags, command] = call
    const client = await cli.configCenter(command)
    const { signal } = cli.runtime
    if (flags.own) return printDocument(cli, (await client.getDocument({ tenant, service }, { signal })).data, flags)
    const view = await readView(client, { tenant, service, signal })
    const document = view.config[service] ?? view.config['*'] ?? {}
    if (!flags.explain) return printDocument(cli, document, flags)
    printOrigins(cli, { document, layers: await readLayers(client, { view, service, signal }), json: flags.json })
  })
}

function readView(
  client: ConfigCenterClient,
  { tenant, service, signal }: { tenant: string; service: string; signal: AbortSignal },
): Promise<ResolvedView> {
  return client.getView(tenant, { signal, ...(service === '*' ? {} : { service }) })
}

function printDocument({ terminal }: Cli, document: Record<string, unknown>, { json }: GetFlags): void {
  if (json) return terminal.printJson(document)
  terminal.print(Object.keys(document).length === 0 ? '{}' : stringify(document).trimEnd())
}

/** The documents that were merged, in the order in which they were: root first, `*` before the service's. */
async function readLayers(
  client: ConfigCenterClient,
  { view, service, signal }: { view: ResolvedView; service: string; signal: AbortSignal },
): Promise<readonly OriginLayer[]> {
  const fromRoot = [...view.chain].reverse()
  const answers = await Promise.all(fromRoot.map((tenant) => client.listDocuments(tenant, { signal })))
  const names = service === '*' ? ['*'] : ['*', service]
  return answers.flatMap(({ documents }) =>
    names.flatMap((name) => documents.filter((document) => document.service === name)),
  )
}

interface OriginsOutput {
  readonly document: Record<string, unknown>
  readonly layers: readonly OriginLayer[]
  readonly json: true | undefined
}

function printOrigins({ terminal }: Cli, { document, layers, json }: OriginsOutput): void {
  const origins = findOrigins(document, layers)
  if (json) return terminal.printJson({ document, origins })
  if (origins.length === 0) return terminal.print('{}')
  const rows = origins.map(({ path, value, tenant, service, revision }) => [
    showPath(path),
    oneLineJson(value),
    `${tenant}/${service}`,
    revision,
  ])
  terminal.print(renderTable(terminal.style, ['key', 'value', 'from', 'revision'], rows))
}
