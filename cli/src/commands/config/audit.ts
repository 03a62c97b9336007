import type { ConfigAuditRecord } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { badValue } from '../../errors.js'
import { jsonOption, parseCount, parseDuration } from '../../options.js'
import { age } from '../../output/format.js'
import { renderTable } from '../../output/table.js'

interface AuditFlags {
  readonly limit: number
  readonly actor?: string
  readonly tenant?: string
  readonly since?: number
  readonly before?: string
  readonly json?: true
}

const MAX_LIMIT = 200
/** Things of one write that are named in its row. */
const NAMED_CHANGES = 3

/** `tributary config audit` */
export function addConfigAudit(parent: Command, cli: Cli): void {
  jsonOption(
    parent
      .command('audit')
      .description('who wrote what in all tenants, tokens made and revoked, and what was refused; newest first')
      .option('--limit <count>', 'how many, at most 200', parseCount(1), 50)
      .option('--actor <name>', 'part of a token’s or a person’s name')
      .option('--tenant <tenant>', 'only this one')
      .option('--since <duration>', 'not older than this, e.g. 24h', parseDuration)
      .option('--before <revision>', 'older than this revision'),
  ).action(async (flags: AuditFlags, command: Command) => {
    const { limit, since, json, ...filters } = flags
    if (limit > MAX_LIMIT) throw badValue(`${limit} records are too many at once; ask for at most ${MAX_LIMIT}`)
    const client = await cli.configCenter(command)
    const now = cli.runtime.clock.now()
    const from = since === undefined ? {} : { since: new Date(now - since).toISOString() }
    const answer = await client.audit({ limit, ...filters, ...from }, { signal: cli.runtime.signal })
    if (json) return cli.terminal.printJson(answer)
    if (answer.records.length === 0) cli.terminal.print('Nothing was written.')
    else {
      const rows = answer.records.map((record) => rowOf(record, now))
      cli.terminal.print(renderTable(cli.terminal.style, ['revision', 'when', 'who', 'where', 'what', 'why'], rows))
    }
    if (answer.nextBefore !== null) cli.terminal.print(`\nolder ones: --before ${answer.nextBefore}`)
  })
}

function rowOf(record: ConfigAuditRecord, now: number): string[] {
  const { storeRevision, at, actor, onBehalfOf, tenants, reason, runId } = record
  const who = onBehalfOf === undefined ? actor : `${onBehalfOf}, by ${actor}`
  return [storeRevision, age(at, now), who, tenants.join(', '), whatOf(record), reason ?? runId ?? '']
}

function whatOf({ refused, uncounted = 0, changes, changeCount }: ConfigAuditRecord): string {
  if (refused !== undefined) {
    const [most] = refused
    const total = refused.reduce((sum, { count }) => sum + count, uncounted)
    const mostly = most === undefined ? '' : `, most: ${most.request} by ${most.actor ?? 'nobody'} from ${most.address}`
    return `refused ${total} ${total === 1 ? 'request' : 'requests'}${mostly}`
  }
  const named = changes.slice(0, NAMED_CHANGES).map(({ did, kind, name }) => `${did} ${kind} ${name}`)
  return changeCount > named.length ? `${named.join(', ')} … ${changeCount - named.length} more` : named.join(', ')
}
