import type { SchemaMode, SchemaViolation, TenantImpact, WriteImpact } from '@tributary/contract'
import type { Cli } from '../../context.js'
import { cliError } from '../../errors.js'
import { NONE, oneLineJson } from '../../output/format.js'
import { renderTable } from '../../output/table.js'
import type { WriteFlags } from './write-options.js'

/** A write to be tried instead of made. */
export interface Trial {
  /** Asks the server. */
  readonly impact: (options: { readonly signal: AbortSignal; readonly schema?: SchemaMode }) => Promise<WriteImpact>
  readonly flags: Pick<WriteFlags, 'schema' | 'json'>
}

/** Prints what a write would do to every tenant. `CLI_WOULD_BE_REFUSED` when the server would refuse it for its schemas. */
export async function showImpact(cli: Cli, { impact: ask, flags }: Trial): Promise<void> {
  const { schema, json } = flags
  const options = { signal: cli.runtime.signal, ...(schema === undefined ? {} : { schema }) }
  const impact = await ask(options)
  if (json) cli.terminal.printJson(impact)
  else printImpact(cli, impact)
  if (!impact.refused) return
  const { violations } = impact.totals
  throw cliError(
    'CLI_WOULD_BE_REFUSED',
    `the write would be refused: ${violations} ${violations === 1 ? 'place breaks its' : 'places break their'} schema; correct it, or say --schema warn`,
  )
}

/** Places that break their schema, as a table. */
export function violationTable({ terminal }: Cli, violations: readonly SchemaViolation[]): string {
  const rows = violations.map(({ tenant, service, path, rule, type, setBy, schemaOwner }) => [
    tenant,
    service,
    path === '' ? '/' : path,
    `${rule} (is ${type})`,
    setBy ?? NONE,
    schemaOwner,
  ])
  return renderTable(terminal.style, ['tenant', 'service', 'path', 'breaks', 'set by', 'schema of'], rows)
}

function printImpact(cli: Cli, impact: WriteImpact): void {
  const { terminal } = cli
  const { totals, tenants, shadowed, violations } = impact
  if (!impact.changed) return terminal.print('nothing would change: everything is so already')
  terminal.print(headline(impact))
  const rows = tenants.flatMap(rowsOf)
  if (rows.length > 0)
    terminal.print(`\n${renderTable(terminal.style, ['tenant', 'what', 'before', 'after', 'live'], rows)}`)
  const more = totals.tenants - tenants.length
  if (more > 0) terminal.print(`… and ${count(more, 'more tenant')}`)
  if (shadowed.length > 0) {
    const over = shadowed.map(({ tenant, name, path, shadowedBy }) => [
      tenant,
      `${name} ${path ?? ''}`.trim(),
      shadowedBy,
    ])
    terminal.print(`\nnothing changes here, because something lies over it:`)
    terminal.print(renderTable(terminal.style, ['tenant', 'what', 'shadowed by'], over))
    if (totals.shadowed > shadowed.length) terminal.print(`… and ${totals.shadowed - shadowed.length} more`)
  }
  if (violations.length > 0) terminal.print(`\n${violationTable(cli, violations)}`)
}

function headline({ totals }: WriteImpact): string {
  const live = totals.subscribers === null ? 'live subscribers unknown' : count(totals.subscribers, 'live subscriber')
  const owners = totals.owners === 0 ? '' : `, ${count(totals.owners, 'service')} would answer from elsewhere`
  return `would change what ${count(totals.tenants, 'tenant')} ${totals.tenants === 1 ? 'sees' : 'see'} (${live})${owners}`
}

function rowsOf(view: TenantImpact): string[][] {
  const chain =
    view.chain === null ? [] : [[chainWord(view), chainText(view.chain.before), chainText(view.chain.after)]]
  const services = view.services.map(({ service, before, after }) => [service, answerOf(before), answerOf(after)])
  const paths = view.documents.flatMap(({ service, paths, pathCount }) => [
    ...paths.map((one) => [`${service} ${one.path}`, valueOf(one, 'before'), valueOf(one, 'after')]),
    ...(pathCount > paths.length ? [[`${service} … ${pathCount - paths.length} more`, '', '']] : []),
  ])
  const rows = [...chain, ...services, ...paths]
  return rows.map((row, index) => [
    index === 0 ? view.tenant : '',
    ...row,
    index === 0 ? String(view.subscribers ?? NONE) : '',
  ])
}

function chainWord({ is }: TenantImpact): string {
  return is === 'changed' ? 'chain' : is
}

function chainText(chain: readonly string[]): string {
  return chain.length === 0 ? NONE : chain.join(' > ')
}

function answerOf(service: TenantImpact['services'][number]['before']): string {
  if (service === null) return NONE
  if (service.state === 'masked') return `masked by ${service.owner}`
  return `${service.owner}${service.version === undefined ? '' : ` ${service.version}`}`
}

type Path = TenantImpact['documents'][number]['paths'][number]

function valueOf(path: Path, side: 'before' | 'after'): string {
  if (path.absent === side) return NONE
  return path.large === true ? '(large)' : oneLineJson(path[side])
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
