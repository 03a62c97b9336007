import type { Command } from 'commander'
import type { Cli } from '../../context.js'

/** `tributary tokens revoke <tokenId>` */
export function addTokensRevoke(parent: Command, cli: Cli): void {
  parent
    .command('revoke')
    .description('end a token at once; its streams are cut')
    .argument('<tokenId>', 'as `tributary tokens list` shows it')
    .action(async (tokenId: string, _flags: unknown, command: Command) => {
      const client = await cli.configCenter(command)
      await client.revokeToken(tokenId)
      cli.terminal.print(`${tokenId} is revoked`)
    })
}
