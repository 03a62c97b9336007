import type { Environment } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { jsonOption } from '../../options.js'
import { age, cell, NONE, phaseTone } from '../../output/format.js'
import { renderFittingTable } from '../../output/table.js'

/** `tributary env list` */
export function addEnvList(parent: Command, cli: Cli): void {
  const list = parent
    .command('list')
    .alias('ls')
    .description('all environments, or those of an owner')
    .option('--owner <who>', 'a name, an address, or the address before its @: who pushed last, or was named')
  jsonOption(list).action(async ({ json, owner }: { json?: true; owner?: string }, command: Command) => {
    const client = await cli.envManager(command)
    const answer = await client.listEnvironments({
      ...(owner === undefined ? {} : { owner }),
      signal: cli.runtime.signal,
    })
    if (json) cli.terminal.printJson(answer)
    else if (answer.environments.length === 0 && owner !== undefined)
      cli.terminal.print(`${owner} owns no environment.`)
    else printEnvironments(cli, answer.environments)
  })
}

function printEnvironments({ terminal, runtime }: Cli, environments: readonly Environment[]): void {
  if (environments.length === 0) return terminal.print('No environments yet: push a branch, and one appears here.')
  const now = runtime.clock.now()
  const rows = environments.map((environment) => [
    terminal.style('strong', environment.name),
    terminal.style(phaseTone(environment.phase), environment.phase),
    cell(environment.branch),
    ownServices(environment),
    age(environment.lastPushAt, now),
    cell(environment.owner?.name ?? NONE),
    environment.url ?? NONE,
  ])
  const head = ['name', 'phase', 'branch', 'own services', 'pushed', 'owner', 'url']
  const optional = ['url', 'owner', 'branch']
  const { columns } = runtime.stdout
  terminal.print(renderFittingTable(terminal.style, { head, rows, optional, columns }))
}

function ownServices({ services, pinned }: Environment): string {
  const names = services.map(({ name }) => name).join(', ') || NONE
  return pinned ? `${names} (pinned)` : names
}
