import type { GrayReleaseSpec } from '@tributary/contract'
import type { Command } from 'commander'
import { parseAssignments } from '../../../assignments.js'
import type { Cli } from '../../../context.js'
import { badValue } from '../../../errors.js'
import { parseCount } from '../../../options.js'
import { reportWrite, timed } from '../report-write.js'
import { showGrayImpact } from './show-gray-impact.js'
import { plainWriteOptions, toWriteOptions, type WriteFlags } from '../write-options.js'

interface StartFlags extends WriteFlags {
  readonly percent?: number
  readonly instance?: readonly string[]
  readonly draw?: string
}

/** `tributary config gray start <tenant> <service> key=value…` */
export function addGrayStart(parent: Command, cli: Cli): void {
  plainWriteOptions(
    parent
      .command('start')
      .description('begin a gray release of values, or change what it sets and whom it reaches')
      .argument('<tenant>')
      .argument('<service>')
      .argument(
        '<assignments...>',
        'pageSize=50 limits.perUser=10: as `config set` takes them; all values of the release',
      )
      .option('--percent <count>', 'share of all instances, 1 to 100', parseCount(1))
      .option('--instance <name...>', 'names of instances instead, as `config gray list` shows them')
      .option('--dry-run', 'begin nothing: show who would get what')
      .option('--draw <id>', 'of a dry run: reach exactly those that it showed'),
  ).action(async (...call: [string, string, string[], StartFlags, Command]) => {
    const [tenant, service, assignments, flags, command] = call
    const spec = { patch: parseAssignments(assignments), ...membersOf(flags) }
    const client = await cli.configCenter(command)
    if (flags.dryRun) {
      const { schema } = flags
      const read = { signal: cli.runtime.signal, ...(schema === undefined ? {} : { schema }) }
      return showGrayImpact(cli, await client.previewGrayRelease({ tenant, service }, spec, read), flags)
    }
    const [result, tookMs] = await timed(cli, () =>
      client.applyGrayRelease({ tenant, service }, spec, toWriteOptions(flags, cli)),
    )
    reportWrite(cli, { result, tookMs, what: `gray release of ${tenant}/${service}`, json: flags.json })
  })
}

function membersOf({ percent, instance, draw }: StartFlags): Omit<GrayReleaseSpec, 'patch'> {
  if ((percent === undefined) === (instance === undefined)) {
    throw badValue('say whom the gray release reaches: --percent 10, or --instance NAME, not both')
  }
  if (percent !== undefined && percent > 100) throw badValue(`${percent} percent are more than all; say 1 to 100`)
  const drawn = draw === undefined ? {} : { draw }
  return percent === undefined ? { instances: [...(instance ?? [])] } : { percent, ...drawn }
}
