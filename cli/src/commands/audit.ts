import type { AuditRecord } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../context.js'
import { jsonOption, parseCount } from '../options.js'
import { age, NONE, stateTone } from '../output/format.js'
import { renderTable } from '../output/table.js'

interface AuditFlags {
  readonly limit: number
  readonly before?: string
  readonly json?: true
}

/** `tributary audit [environment]` */
export function addAudit(program: Command, cli: Cli): void {
  jsonOption(
    program
      .command('audit')
      .description('who asked for what, on which environment, from where; config writes stand in `config history`')
      .argument('[environment]', 'only of this one')
      .option('--limit <count>', 'how many', parseCount(1), 50)
      .option('--before <auditId>', 'only older ones: pages on'),
  ).action(async (environment: string | undefined, { json, ...flags }: AuditFlags, command: Command) => {
    const client = await cli.envManager(command)
    const query = { ...flags, ...(environment === undefined ? {} : { environment }) }
    const answer = await client.listAudit(query, { signal: cli.runtime.signal })
    if (json) cli.terminal.printJson(answer)
    else printRecords(cli, answer.records)
  })
}

function printRecords({ terminal, runtime }: Cli, records: readonly AuditRecord[]): void {
  if (records.length === 0) return terminal.print('Nobody has asked for anything yet.')
  const now = runtime.clock.now()
  const rows = records.map(({ at, actor, action, environment, detail, outcome, address }) => [
    age(at, now),
    `${actor.name} (${actor.role})`,
    action,
    [environment, detail].filter((part) => part !== null).join(' ') || NONE,
    terminal.style(stateTone(outcome), outcome),
    address,
  ])
  terminal.print(renderTable(terminal.style, ['when', 'who', 'what', 'on', 'outcome', 'from'], rows))
}
