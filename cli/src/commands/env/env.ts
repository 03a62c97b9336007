import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { addEnvDelete } from './delete.js'
import { addEnvExplain } from './explain.js'
import { addEnvList } from './list.js'
import { addEnvLogs } from './logs.js'
import { addEnvPin } from './pin.js'
import { addEnvReceipts } from './receipts.js'
import { addEnvRollback } from './rollback.js'
import { addEnvShow } from './show.js'
import { addEnvWait } from './wait.js'

/** `tributary env …` */
export function addEnv(program: Command, cli: Cli): void {
  const env = program.command('env').description('environments: list, look, wait, delete, pin, roll back')
  const subcommands = [addEnvList, addEnvShow, addEnvWait, addEnvExplain, addEnvLogs, addEnvPin, addEnvRollback]
  for (const add of [...subcommands, addEnvDelete, addEnvReceipts]) add(env, cli)
}
