import type { Command } from 'commander'
import type { Cli } from '../../../context.js'
import { addGrayEndings } from './end.js'
import { addGrayList } from './list.js'
import { addGrayStart } from './start.js'
import { helpNote } from '../../../output/help-text.js'

/** `tributary config gray …` */
export function addConfigGray(parent: Command, cli: Cli): void {
  const gray = parent
    .command('gray')
    .description('gray releases: give some instances of a service a change first')
    .addHelpText(
      'after',
      helpNote(
        'It reaches instances of the tenant itself that follow the service by name; `tributary config gray list` shows who has it.',
      ),
    )
  for (const add of [addGrayStart, addGrayList, addGrayEndings]) add(gray, cli)
}
