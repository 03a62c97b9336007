import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { jsonOption } from '../../options.js'
import { age, NONE } from '../../output/format.js'
import { renderTable } from '../../output/table.js'

/** `tributary tokens list` */
export function addTokensList(parent: Command, cli: Cli): void {
  jsonOption(parent.command('list').alias('ls').description('all tokens, without their secrets')).action(
    async ({ json }: { json?: true }, command: Command) => {
      const { terminal, runtime } = cli
      const client = await cli.configCenter(command)
      const answer = await client.listTokens({ signal: runtime.signal })
      if (json) return terminal.printJson(answer)
      const now = runtime.clock.now()
      const rows = answer.tokens.map((token) => [
        token.tokenId,
        token.name,
        token.role,
        token.tenant ?? NONE,
        age(token.createdAt, now),
        token.expiresAt === undefined ? 'never' : age(token.expiresAt, now),
      ])
      terminal.print(renderTable(terminal.style, ['id', 'name', 'role', 'tenant', 'made', 'expires'], rows))
    },
  )
}
