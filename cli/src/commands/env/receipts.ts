import type { Receipt } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { jsonOption } from '../../options.js'
import { age, elapsed } from '../../output/format.js'
import { renderTable } from '../../output/table.js'

/** `tributary env receipts <name>` */
export function addEnvReceipts(parent: Command, cli: Cli): void {
  jsonOption(
    parent
      .command('receipts')
      .description('proof that an environment is gone: each thing it had, and how its absence was seen')
      .argument('<name>', 'works after the environment is gone'),
  ).action(async (name: string, { json }: { json?: true }, command: Command) => {
    const client = await cli.envManager(command)
    const answer = await client.listReceipts(name, { signal: cli.runtime.signal })
    if (json) return cli.terminal.printJson(answer)
    if (answer.receipts.length === 0)
      return cli.terminal.print(`${name} has no receipt: no environment of this name was ever removed.`)
    for (const receipt of answer.receipts) printReceipt(cli, receipt)
  })
}

function printReceipt({ terminal, runtime }: Cli, receipt: Receipt): void {
  const { style, print } = terminal
  const when = age(receipt.finishedAt, runtime.clock.now())
  const took = elapsed(receipt.startedAt, receipt.finishedAt, runtime.clock.now())
  print(
    `${style('strong', receipt.environment)}  generation ${receipt.generation}, gone ${when}, took ${took} (${receipt.reason}, ${receipt.runId})`,
  )
  const rows = receipt.resources.map(({ kind, id, evidence }) => [kind, id, evidence])
  print(renderTable(style, ['kind', 'id', 'seen gone by'], rows))
}
