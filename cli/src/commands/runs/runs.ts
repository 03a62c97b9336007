import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { addRunsList } from './list.js'
import { addRunsLogs } from './logs.js'
import { addRunsRerun } from './rerun.js'
import { addRunsShow } from './show.js'
import { addRunsWatch } from './watch.js'

/** `tributary runs …` */
export function addRuns(program: Command, cli: Cli): void {
  const runs = program.command('runs').description('deploy and teardown runs with their steps and logs')
  for (const add of [addRunsList, addRunsShow, addRunsLogs, addRunsWatch, addRunsRerun]) add(runs, cli)
}
