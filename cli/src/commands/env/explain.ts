import type { CallExplanation, ExplainedCaller } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { jsonOption } from '../../options.js'
import { endpointList, NONE, stateTone } from '../../output/format.js'
import { renderPairs, renderTable } from '../../output/table.js'

interface ExplainFlags {
  readonly call: string
  readonly from?: string
  readonly json?: true
}

/** `tributary env explain <name> --call <service>` */
export function addEnvExplain(parent: Command, cli: Cli): void {
  jsonOption(
    parent
      .command('explain')
      .description('which address answers a call from this environment, by which rule, and why not another')
      .argument('<name>')
      .requiredOption('--call <service>', 'the service that is called')
      .option('--from <service>', 'the service that calls: which copy of it, and what if it lost the routing context'),
  ).action(async (name: string, { call, from, json }: ExplainFlags, command: Command) => {
    const client = await cli.envManager(command)
    const { signal } = cli.runtime
    const explanation = await client.explainCall(name, call, from === undefined ? { signal } : { signal, from })
    if (json) cli.terminal.printJson(explanation)
    else printExplanation(cli, explanation)
  })
}

function printExplanation(cli: Cli, explanation: CallExplanation): void {
  const { style, print } = cli.terminal
  const { from } = explanation
  print(explanation.summary)
  print(
    renderPairs(style, [
      ['call', `${explanation.environment} ${from === undefined ? '' : `${from.service} `}-> ${explanation.service}`],
      ['rule', style(stateTone(explanation.rule), explanation.rule)],
      ['owner', explanation.owner ?? NONE],
      ['address', endpointList(explanation.endpoints)],
      ['revision', explanation.storeRevision],
      ...(from === undefined ? [] : callerPairs(cli, from)),
    ]),
  )
  if (from !== undefined) print(`\n${from.summary}`)
  if (explanation.alternatives.length === 0) return
  const rows = explanation.alternatives.map(({ tenant, endpoints, whyNot }) => [
    tenant,
    endpointList(endpoints),
    whyNot,
  ])
  print(`\n${renderTable(style, ['not this one', 'address', 'because'], rows)}`)
}

function callerPairs({ terminal: { style } }: Cli, from: ExplainedCaller): [string, string][] {
  const lost = from.withoutContext
  return [
    ['caller', `${from.owner ?? NONE}/${from.service} at ${endpointList(from.endpoints)}`],
    ['declared', from.declared ? 'yes' : style('warn', 'no: its definition does not name this call')],
    ...(lost === null
      ? []
      : ([['without context', `${lost.owner ?? NONE} at ${endpointList(lost.endpoints)}`]] as [string, string][])),
  ]
}
