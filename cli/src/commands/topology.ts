import type { Topology, TopologyDifference, TopologyNode } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../context.js'
import { jsonOption } from '../options.js'
import { NONE, shortSha, stateTone } from '../output/format.js'
import { renderTable } from '../output/table.js'
import { renderLeaks } from '../output/leaks.js'
import { renderCallTree } from '../output/call-tree.js'

interface TopologyFlags {
  readonly against?: string
  readonly json?: true
}

/** `tributary topology <env>` */
export function addTopology(program: Command, cli: Cli): void {
  jsonOption(
    program
      .command('topology')
      .description('who answers each call of an environment: own or inherited, version, health, calls')
      .argument('<env>')
      .option('--against <other>', 'show only what differs from this environment'),
  ).action(async (name: string, { against, json }: TopologyFlags, command: Command) => {
    const client = await cli.envManager(command)
    const { signal } = cli.runtime
    if (against !== undefined) {
      const difference = await client.diffTopology(name, against, { signal })
      return json ? cli.terminal.printJson(difference) : printDifference(cli, difference)
    }
    const topology = await client.getTopology(name, { signal })
    return json ? cli.terminal.printJson(topology) : printTopology(cli, topology)
  })
}

function printTopology(cli: Cli, topology: Topology): void {
  const { style, print } = cli.terminal
  print(
    `${topology.chain.map((tenant) => style('strong', tenant)).join(' over ')}  ${style('quiet', `revision ${topology.storeRevision}`)}`,
  )
  const rows = topology.nodes.map((node) => [
    node.service,
    style(stateTone(node.state), node.state),
    node.owner ?? NONE,
    node.version ?? NONE,
    style(stateTone(node.health), node.health),
    node.url ?? NONE,
  ])
  print(`\n${renderTable(style, ['service', 'state', 'from', 'version', 'health', 'url'], rows)}`)
  for (const { service, healthMessage } of topology.nodes) {
    if (healthMessage !== null) print(`${style('bad', '!')} ${service}: ${healthMessage}`)
  }
  if (topology.edges.length > 0) print(`\n${style('quiet', 'CALLS')}\n${renderCallTree(style, topology)}`)
  if (topology.leaks.length > 0) print(`\n${style('bad', 'LEAKS')}\n${renderLeaks(cli, topology.leaks)}`)
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
