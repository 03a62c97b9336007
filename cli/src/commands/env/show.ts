import type { Environment, EnvironmentService } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { jsonOption } from '../../options.js'
import { age, NONE, phaseTone, shortSha, stateTone, troubles } from '../../output/format.js'
import { renderPairs, renderTable } from '../../output/table.js'

/** `tributary env show <name>` */
export function addEnvShow(parent: Command, cli: Cli): void {
  jsonOption(
    parent.command('show').description('one environment: services, URLs and what is wrong').argument('<name>'),
  ).action(async (name: string, { json }: { json?: true }, command: Command) => {
    const client = await cli.envManager(command)
    const environment = await client.getEnvironment(name, { signal: cli.runtime.signal })
    if (json) cli.terminal.printJson(environment)
    else printEnvironment(cli, environment)
  })
}

/** Prints one environment for people. */
export function printEnvironment({ terminal, runtime }: Cli, environment: Environment): void {
  const { style, print } = terminal
  const now = runtime.clock.now()
  print(`${style('strong', environment.name)}  ${style(phaseTone(environment.phase), environment.phase)}`)
  print(
    renderPairs(style, [
      ['branch', environment.branch],
      ['overlays', environment.base ?? 'nothing (a root)'],
      ['url', environment.url],
      ['pushed', age(environment.lastPushAt, now)],
      ['owner', ownerOf(environment)],
      ['expires', environment.pinned ? 'never (pinned)' : environment.expiresAt && age(environment.expiresAt, now)],
      ['asleep', environment.asleep && `since ${age(environment.asleep.since, now)} (${environment.asleep.reason})`],
      ['used', environment.lastRequestAt && age(environment.lastRequestAt, now)],
      ['sleeps', environment.sleepsAt && age(environment.sleepsAt, now)],
      ['masked', environment.masked.join(', ')],
      ['run', environment.currentRunId ?? environment.lastRunId],
    ]),
  )
  if (environment.services.length > 0) print(`\n${serviceTable(terminal.style, environment.services)}`)
  for (const trouble of troubles(environment.conditions)) print(`\n${style('bad', '!')} ${trouble}`)
}

function ownerOf({ owner }: Environment): string | null {
  if (owner === null) return null
  return owner.email === null || owner.email === owner.name ? owner.name : `${owner.name} <${owner.email}>`
}

function serviceTable(style: Cli['terminal']['style'], services: readonly EnvironmentService[]): string {
  const rows = services.map((service) => [
    service.name,
    style(stateTone(service.status), service.status),
    service.version ?? NONE,
    commits(service),
    service.url ?? NONE,
  ])
  return renderTable(style, ['service', 'status', 'version', 'commit', 'url'], rows)
}

function commits({ deployedCommit, wantedCommit }: EnvironmentService): string {
  if (deployedCommit === wantedCommit) return shortSha(deployedCommit)
  return `${shortSha(deployedCommit)} -> ${shortSha(wantedCommit)}`
}
