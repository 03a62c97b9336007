import type { CallExplanation } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { jsonOption } from '../../options.js'
import { endpointList, NONE, stateTone } from '../../output/format.js'
import { renderPairs, renderTable } from '../../output/table.js'

/** `tributary env explain <name> --call <service>` */
export function addEnvExplain(parent: Command, cli: Cli): void {
  jsonOption(
    parent
      .command('explain')
      .description('which address answers a call from this environment, by which rule, and why not another')
      .argument('<name>')
      .requiredOption('--call <service>', 'the service that is called'),
  ).action(async (name: string, { call, json }: { call: string; json?: true }, command: Command) => {
    const client = await cli.envManager(command)
    const explanation = await client.explainCall(name, call, { signal: cli.runtime.signal })
    if (json) cli.terminal.printJson(explanation)
    else printExplanation(cli, explanation)
  })
}

function printExplanation({ terminal }: Cli, explanation: CallExplanation): void {
  const { style, print } = terminal
  print(explanation.summary)
  print(
    renderPairs(style, [
      ['call', `${explanation.environment} -> ${explanation.service}`],
      ['rule', style(stateTone(explanation.rule), explanation.rule)],
      ['owner', explanation.owner ?? NONE],
      ['address', endpointList(explanation.endpoints)],
      ['revision', explanation.storeRevision],
    ]),
  )
  if (explanation.alternatives.length === 0) return
  const rows = explanation.alternatives.map(({ tenant, endpoints, whyNot }) => [
    tenant,
    endpointList(endpoints),
    whyNot,
  ])
  print(`\n${renderTable(style, ['not this one', 'address', 'because'], rows)}`)
}
