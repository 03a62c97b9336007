import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { addEnvDelete } from './delete.js'
import { addEnvExplain } from './explain.js'
import { addEnvExtend } from './extend.js'
import { addEnvList } from './list.js'
import { addEnvLogs } from './logs.js'
import { addEnvOwn } from './own.js'
import { addEnvPin } from './pin.js'
import { addEnvReceipts } from './receipts.js'
import { addEnvRedeploy } from './redeploy.js'
import { addEnvReleaseFinalizers } from './release-finalizers.js'
import { addEnvRollback } from './rollback.js'
import { addEnvShow } from './show.js'
import { addEnvSleep } from './sleep.js'
import { addEnvWait } from './wait.js'

/** `tributary env …` */
export function addEnv(program: Command, cli: Cli): void {
  const env = program
    .command('env')
    .description('environments: list, look, wait, sleep, wake, pin, redeploy, roll back, delete')
  const subcommands = [addEnvList, addEnvShow, addEnvWait, addEnvExplain, addEnvLogs, addEnvPin, addEnvRollback]
  const more = [
    addEnvOwn,
    addEnvExtend,
    addEnvSleep,
    addEnvRedeploy,
    addEnvDelete,
    addEnvReleaseFinalizers,
    addEnvReceipts,
  ]
  for (const add of [...subcommands, ...more]) add(env, cli)
}
