import type { GrayImpact } from '@tributary/contract'
import type { Cli } from '../../../context.js'
import { cliError } from '../../../errors.js'
import { NONE, oneLineJson } from '../../../output/format.js'
import { renderTable } from '../../../output/table.js'

/**
 * Prints what a gray release would bring, and to whom.
 * @throws AppError `CLI_WOULD_BE_REFUSED`, after it is printed
 */
export function showGrayImpact(cli: Cli, impact: GrayImpact, { json = false }: { readonly json?: boolean }): void {
  const { terminal } = cli
  const { reach, paths, pathCount, violations, draw, refused } = impact
  if (json) terminal.printJson(impact)
  else {
    terminal.print(reachText(reach))
    for (const instance of reach?.instances ?? []) terminal.print(`  ${instance}`)
    const rows = paths.map(({ path, before, after, absent }) => [
      path,
      absent === 'before' ? NONE : oneLineJson(before),
      absent === 'after' ? NONE : oneLineJson(after),
    ])
    const more = pathCount > paths.length ? `\n(and ${pathCount - paths.length} more)` : ''
    const table = renderTable(terminal.style, ['value', 'all others', 'who gets it'], rows)
    terminal.print(pathCount === 0 ? '\nNothing that the service sees would change.' : `\n${table}${more}`)
    for (const { tenant, service, path, rule } of violations) {
      terminal.print(`${terminal.style('bad', '!')} given to all, ${tenant}/${service} at ${path} ${rule}`)
    }
    terminal.print(`\nNothing was begun. With --draw ${draw} it reaches exactly these.`)
  }
  if (refused) {
    throw cliError(
      'CLI_WOULD_BE_REFUSED',
      'the gray release would be refused for its schema; correct the values, or say --schema warn',
    )
  }
}

function reachText(reach: GrayImpact['reach']): string {
  if (reach === null) return 'Who would get it is not known: a replica of the config center does not answer.'
  const { members, others, overlaying, overlayingTenants } = reach
  const over = `; ${overlaying} in ${overlayingTenants} tenants that lie over it only when it is given to all`
  return `${members} of ${members + others} live subscribers would get it${overlaying === 0 ? '' : over}`
}
