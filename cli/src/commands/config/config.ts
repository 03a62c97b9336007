import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { addConfigAudit } from './audit.js'
import { addConfigDiff } from './diff.js'
import { addConfigExplain } from './explain.js'
import { addConfigExport } from './export.js'
import { addConfigGet } from './get.js'
import { addConfigGray } from './gray/gray.js'
import { addConfigHistory } from './history.js'
import { addConfigImport } from './import.js'
import { addConfigPatch } from './patch.js'
import { addConfigRollback } from './rollback.js'
import { addConfigSet } from './set.js'
import { addConfigUnset } from './unset.js'
import { helpNote } from '../../output/help-text.js'

/** `tributary config …` */
export function addConfig(program: Command, cli: Cli): void {
  const config = program
    .command('config')
    .description('config documents: read, change and wait, explain, compare, roll back')
    .addHelpText(
      'after',
      helpNote(
        'The service * is the tenant-wide document. A tenant’s documents are laid over those of the tenants below it.',
      ),
    )
  for (const add of [addConfigGet, addConfigSet, addConfigUnset, addConfigPatch, addConfigExplain]) add(config, cli)
  for (const add of [addConfigDiff, addConfigHistory, addConfigRollback, addConfigGray]) add(config, cli)
  for (const add of [addConfigExport, addConfigImport, addConfigAudit]) add(config, cli)
}
