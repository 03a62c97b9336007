import type { HistoryRecord } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { jsonOption, parseCount } from '../../options.js'
import { age } from '../../output/format.js'
import { renderTable } from '../../output/table.js'

interface HistoryFlags {
  readonly limit: number
  readonly before?: string
  readonly json?: true
}

/** `tributary config history <tenant> [service]` */
export function addConfigHistory(parent: Command, cli: Cli): void {
  jsonOption(
    parent
      .command('history')
      .description('every write of a tenant, newest first: who, when, why, what')
      .argument('<tenant>')
      .argument('[service]', 'only this one')
      .option('--limit <count>', 'how many', parseCount(1), 20)
      .option('--before <revision>', 'older than this revision'),
  ).action(async (...call: [string, string | undefined, HistoryFlags, Command]) => {
    const [tenant, service, flags, command] = call
    const client = await cli.configCenter(command)
    const { limit, before } = flags
    const query = { limit, ...(before === undefined ? {} : { before }), ...(service === undefined ? {} : { service }) }
    const answer = await client.history(tenant, query, { signal: cli.runtime.signal })
    if (flags.json) cli.terminal.printJson(answer)
    else printHistory(cli, answer.records)
  })
}

function printHistory({ terminal, runtime }: Cli, records: readonly HistoryRecord[]): void {
  if (records.length === 0) return terminal.print('No history.')
  const now = runtime.clock.now()
  const rows = records.map((record) => [
    record.storeRevision,
    age(record.at, now),
    record.onBehalfOf === undefined ? record.actor : `${record.onBehalfOf}, by ${record.actor}`,
    record.changes.map(changeText).join(', '),
    record.reason ?? record.runId ?? '',
  ])
  terminal.print(renderTable(terminal.style, ['revision', 'when', 'who', 'what', 'why'], rows))
}

function changeText({ kind, name, before, after }: HistoryRecord['changes'][number]): string {
  const verb = before === null ? 'new' : after === null ? 'removed' : 'changed'
  return kind === 'tenant' ? `${verb} tenant ${name}` : `${verb} ${kind} ${name}`
}
