import type { ManagerStatus } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../context.js'
import { jsonOption } from '../options.js'
import { age, NONE } from '../output/format.js'
import { renderPairs, renderTable } from '../output/table.js'

/** `tributary status` */
export function addStatus(program: Command, cli: Cli): void {
  jsonOption(
    program
      .command('status')
      .description('how the env-manager is doing: repositories, queue, orphans, stopped deletions'),
  ).action(async ({ json }: { json?: true }, command: Command) => {
    const client = await cli.envManager(command)
    const status = await client.getStatus({ signal: cli.runtime.signal })
    if (json) cli.terminal.printJson(status)
    else printStatus(cli, status)
  })
}

function printStatus(cli: Cli, status: ManagerStatus): void {
  const { style, print } = cli.terminal
  print(
    renderPairs(style, [
      ['platform', `${status.platform} (${status.capabilities.join(', ')})`],
      ['instance', status.instance],
      ['config center', style(status.configCenter === 'READY' ? 'good' : 'bad', status.configCenter)],
      ['environments', String(status.environments)],
      ...(status.replicas.length > 1 ? [['replicas', replicasOf(status)] as const] : []),
      ['running', status.running.join(', ') || 'nothing'],
      ['queued', status.queued.join(', ') || 'nothing'],
    ]),
  )
  print(`\n${repositoryTable(cli, status)}`)
  if (status.orphans.length > 0) print(`\n${orphanTable(cli, status)}`)
  if (status.frozen !== null) print(`\n${frozenText(cli, status.frozen)}`)
}

function replicasOf({ replicas }: ManagerStatus): string {
  return replicas.map(({ role, url }) => `${url ?? NONE} (${role})`).join(', ')
}

function repositoryTable({ terminal, runtime }: Cli, { repositories }: ManagerStatus): string {
  const now = runtime.clock.now()
  const rows = repositories.map(({ name, url, branches, lastListedAt, error }) => [
    name,
    String(branches),
    lastListedAt === null ? 'never' : age(lastListedAt, now),
    error === null ? terminal.style('good', 'ok') : terminal.style('bad', error),
    url,
  ])
  return renderTable(terminal.style, ['repository', 'branches', 'listed', 'state', 'url'], rows)
}

function orphanTable({ terminal }: Cli, { orphans }: ManagerStatus): string {
  const rows = orphans.map(({ kind, id, environment }) => [kind, id, environment ?? NONE])
  return renderTable(terminal.style, ['orphan', 'id', 'environment'], rows)
}

function frozenText({ terminal, runtime }: Cli, frozen: NonNullable<ManagerStatus['frozen']>): string {
  return [
    terminal.style('bad', `Deletions were stopped ${age(frozen.since, runtime.clock.now())}: ${frozen.reason}`),
    `It would delete: ${frozen.wouldDelete.join(', ')}`,
    `If that is right: tributary approve ${frozen.approvalId}`,
  ].join('\n')
}
