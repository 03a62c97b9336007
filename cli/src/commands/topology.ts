import type { Topology, TopologyDifference, TopologyNode } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../context.js'
import { jsonOption } from '../options.js'
import { NONE, shortSha, stateTone } from '../output/format.js'
import { renderTable } from '../output/table.js'
import { renderLeaks } from '../output/leaks.js'
import { renderCallTree, STATE_SIGNS } from '../output/call-tree.js'

interface TopologyFlags {
  readonly against?: string
  readonly table?: true
  readonly json?: true
}

/** `tributary topology <env>` */
export function addTopology(program: Command, cli: Cli): void {
  jsonOption(
    program
      .command('topology')
      .description('who answers each call of an environment: own or inherited, version, health, calls')
      .argument('<env>')
      .option('--against <other>', 'show only what differs from this environment')
      .option('--table', 'a table with the address of each service, instead of the tree'),
  ).action(async (name: string, { against, table, json }: TopologyFlags, command: Command) => {
    const client = await cli.envManager(command)
    const { signal } = cli.runtime
    if (against !== undefined) {
      const difference = await client.diffTopology(name, against, { signal })
      return json ? cli.terminal.printJson(difference) : printDifference(cli, difference)
    }
    const topology = await client.getTopology(name, { signal })
    if (json) cli.terminal.printJson(topology)
    else printTopology(cli, topology, { asTable: table ?? false })
  })
}

function printTopology(cli: Cli, topology: Topology, { asTable }: { readonly asTable: boolean }): void {
  const { style, print } = cli.terminal
  const { chain, storeRevision, nodes, leaks } = topology
  print(
    `${chain.map((tenant) => style('strong', tenant)).join(' over ')}  ${style('quiet', `revision ${storeRevision}`)}`,
  )
  if (nodes.length === 0) return print('It sees no service yet.')
  print(
    `\n${asTable ? serviceTable(style, nodes) : renderCallTree(topology, { style, columns: cli.runtime.stdout.columns })}`,
  )
  if (!asTable) print(`\n${legend(style, topology)}`)
  for (const { service, healthMessage } of nodes) {
    if (healthMessage !== null) print(`${style('bad', '!')} ${service}: ${healthMessage}`)
  }
  if (leaks.length > 0) print(`\n${style('bad', 'LEAKS')}\n${renderLeaks(cli, leaks)}`)
}

function serviceTable(style: Cli['terminal']['style'], nodes: readonly TopologyNode[]): string {
  const rows = nodes.map((node) => [
    node.service,
    style(stateTone(node.state), node.state),
    node.owner ?? NONE,
    node.version ?? NONE,
    style(stateTone(node.health), node.health),
    node.url ?? NONE,
  ])
  return renderTable(style, ['service', 'state', 'from', 'version', 'health', 'url'], rows)
}

/** What the signs mean, of those that stand in the tree. */
function legend(style: Cli['terminal']['style'], { chain, nodes }: Topology): string {
  const meanings: readonly (readonly [TopologyNode['state'], string])[] = [
    ['own', `${chain[0] ?? 'its'}’s own`],
    ['inherited', 'falls back'],
    ['masked', 'hidden'],
    ['missing', 'nobody has it'],
  ]
  return meanings
    .filter(([state]) => nodes.some((node) => node.state === state))
    .map(([state, meaning]) => `${style(stateTone(state), STATE_SIGNS[state])} ${meaning}`)
    .join('   ')
}

function printDifference({ terminal }: Cli, { left, right, services }: TopologyDifference): void {
  if (services.length === 0) return terminal.print(`${left} and ${right} see the same services.`)
  const rows = services.map((service) => [service.service, nodeText(service.left), nodeText(service.right)])
  terminal.print(renderTable(terminal.style, ['service', left, right], rows))
}

function nodeText(node: TopologyNode | null): string {
  if (node === null) return 'absent'
  return `${node.state} from ${node.owner ?? 'nobody'} ${node.version ?? shortSha(node.commitSha)} ${node.health}`
}
