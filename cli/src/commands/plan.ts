import type { Plan } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../context.js'
import { jsonOption } from '../options.js'
import { NONE, shortSha } from '../output/format.js'
import { renderTable } from '../output/table.js'

/** `tributary plan <env>` */
export function addPlan(program: Command, cli: Cli): void {
  jsonOption(
    program
      .command('plan')
      .description('what the env-manager would do to an environment now, and why')
      .argument('<env>'),
  ).action(async (name: string, { json }: { json?: true }, command: Command) => {
    const client = await cli.envManager(command)
    const plan = await client.getPlan(name, { signal: cli.runtime.signal })
    if (json) cli.terminal.printJson(plan)
    else printPlan(cli, plan)
  })
}

function printPlan({ terminal }: Cli, plan: Plan): void {
  if (plan.actions.length === 0) return terminal.print(`${plan.environment} is as it should be: nothing to do.`)
  const rows = plan.actions.map(({ action, service, commitSha, reason }, index) => [
    String(index + 1),
    action,
    service ?? NONE,
    shortSha(commitSha),
    reason,
  ])
  terminal.print(renderTable(terminal.style, ['', 'action', 'service', 'commit', 'because'], rows))
}
