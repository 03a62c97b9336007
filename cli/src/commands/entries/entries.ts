import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { addEntriesExplain } from './explain.js'
import { addEntriesList } from './list.js'
import { addEntriesMask } from './mask.js'
import { addEntriesUnmask } from './unmask.js'

/** `tributary entries …` */
export function addEntries(program: Command, cli: Cli): void {
  const entries = program.command('entries').description('service entries: where a tenant’s services live')
  for (const add of [addEntriesList, addEntriesExplain, addEntriesMask, addEntriesUnmask]) add(entries, cli)
}
