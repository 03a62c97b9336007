import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { addTokensCreate } from './create.js'
import { addTokensList } from './list.js'
import { addTokensRevoke } from './revoke.js'

/** `tributary tokens …` */
export function addTokens(program: Command, cli: Cli): void {
  const tokens = program.command('tokens').description('access tokens: make, list, revoke')
  for (const add of [addTokensCreate, addTokensList, addTokensRevoke]) add(tokens, cli)
}
