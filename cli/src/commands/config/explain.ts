import type { Explanation } from '@tributary/contract'
import type { Command } from 'commander'
import { parsePath, toPointer } from '../../assignments.js'
import type { Cli } from '../../context.js'
import { jsonOption } from '../../options.js'
import { age, NONE, oneLineJson } from '../../output/format.js'
import { renderTable } from '../../output/table.js'

/** `tributary config explain <tenant> <service> <key>` */
export function addConfigExplain(parent: Command, cli: Cli): void {
  jsonOption(
    parent
      .command('explain')
      .description('the whole stack of who set a value, when, and who shadows whom')
      .argument('<tenant>')
      .argument('<service>', 'or * for the tenant-wide document')
      .argument('<key>', 'limits.perUser, or /limits/perUser'),
  ).action(async (...call: [string, string, string, { json?: true }, Command]) => {
    const [tenant, service, key, { json }, command] = call
    const client = await cli.configCenter(command)
    const query = { service, path: toPointer(parsePath(key)) }
    const explanation = await client.explain(tenant, query, { signal: cli.runtime.signal })
    if (json) cli.terminal.printJson(explanation)
    else printLayers(cli, explanation)
  })
}

/** Prints an explanation for people: the sentence, then the stack with the nearest tenant first. */
export function printLayers({ terminal, runtime }: Cli, { summary, layers }: Explanation): void {
  terminal.print(summary)
  if (layers.length === 0) return
  const now = runtime.clock.now()
  const rows = layers.map((layer) => [
    layer.tenant,
    layer.source,
    oneLineJson(layer.value),
    layer.shadowedBy === undefined ? layer.effect : `${layer.effect} by ${layer.shadowedBy}`,
    layer.revision,
    layer.actor ?? NONE,
    age(layer.at, now),
  ])
  terminal.print(
    `\n${renderTable(terminal.style, ['tenant', 'source', 'value', 'effect', 'revision', 'who', 'when'], rows)}`,
  )
}
