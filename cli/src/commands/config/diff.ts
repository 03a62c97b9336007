import type { Difference, ResolvedService } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { badValue } from '../../errors.js'
import { jsonOption } from '../../options.js'
import { endpointList, NONE, oneLineJson } from '../../output/format.js'
import { renderTable } from '../../output/table.js'

interface DiffFlags {
  readonly against?: string
  readonly from?: string
  readonly to?: string
  readonly json?: true
}

/** `tributary config diff <tenant>` */
export function addConfigDiff(parent: Command, cli: Cli): void {
  jsonOption(
    parent
      .command('diff')
      .description('what two tenants see differently, or what changed in a tenant between two revisions')
      .argument('<tenant>')
      .option('--against <tenant>', 'compare with this tenant')
      .option('--from <revision>', 'compare with itself at this revision')
      .option('--to <revision>', 'up to this revision (default: now)'),
  ).action(async (tenant: string, flags: DiffFlags, command: Command) => {
    const query = toQuery(flags)
    const client = await cli.configCenter(command)
    const answer = await client.diff(tenant, query, { signal: cli.runtime.signal })
    if (flags.json) cli.terminal.printJson(answer)
    else printDifferences(cli, answer.differences)
  })
}

function toQuery({
  against,
  from,
  to,
}: DiffFlags): { against: string } | { fromRevision: string; toRevision?: string } {
  if ((against === undefined) === (from === undefined))
    throw badValue('name what to compare with: either --against <tenant> or --from <revision>')
  if (against !== undefined) return { against }
  return { fromRevision: from ?? '', ...(to === undefined ? {} : { toRevision: to }) }
}

/** A service by who answers and where; anything else as JSON. */
function sideText(value: unknown): string {
  if (value === null) return NONE
  if (!isService(value)) return oneLineJson(value)
  return [value.owner, value.version ?? '', endpointList(value.endpoints)].filter((part) => part !== '').join(' ')
}

function isService(value: unknown): value is ResolvedService {
  return typeof value === 'object' && value !== null && 'owner' in value && 'state' in value && 'endpoints' in value
}

function printDifferences({ terminal }: Cli, differences: readonly Difference[]): void {
  if (differences.length === 0) return terminal.print('No difference.')
  const rows = differences.map(({ kind, name, path, before, after }) => [
    kind,
    `${name}${path ?? ''}`,
    sideText(before),
    sideText(after),
  ])
  terminal.print(renderTable(terminal.style, ['kind', 'what', 'before', 'after'], rows))
}
