import type { RollbackRequest } from '@tributary/contract'
import { Option, type Command } from 'commander'
import type { Cli } from '../../context.js'
import { parseDuration } from '../../options.js'
import { reportWrite, timed } from './report-write.js'
import { showImpact } from './show-impact.js'
import { trialOptions, type WriteFlags } from './write-options.js'

interface RollbackFlags extends Pick<WriteFlags, 'dryRun' | 'schema' | 'json'> {
  readonly to: string
  readonly scope: NonNullable<RollbackRequest['scope']>
  readonly reason?: string
  readonly wait?: number
}

/** `tributary config rollback <tenant> [service] --to <revision>` */
export function addConfigRollback(parent: Command, cli: Cli): void {
  trialOptions(
    parent
      .command('rollback')
      .description('bring a tenant’s own documents back to what they were, as a new write')
      .argument('<tenant>')
      .argument('[service]', 'only this one')
      .requiredOption('--to <revision>', 'as `tributary config history` shows it')
      .addOption(
        new Option('--scope <scope>', 'what to bring back')
          .choices(['documents', 'entries', 'all'])
          .default('documents'),
      )
      .option('--reason <text>', 'kept in the history')
      .option('--wait <duration>', 'return when every live subscriber that it concerns has applied it', parseDuration),
  ).action(async (...call: [string, string | undefined, RollbackFlags, Command]) => {
    const [tenant, service, flags, command] = call
    const client = await cli.configCenter(command)
    const request: RollbackRequest = {
      toRevision: flags.to,
      scope: flags.scope,
      ...(service === undefined ? {} : { service }),
      ...(flags.reason === undefined ? {} : { reason: flags.reason }),
    }
    if (flags.dryRun)
      return showImpact(cli, {
        impact: (options) => client.checkImpact({ rollback: { tenant, ...request } }, options),
        flags,
      })
    const { schema } = flags
    const options = {
      ...(flags.wait === undefined ? {} : { waitMs: flags.wait }),
      ...(schema === undefined ? {} : { schema }),
    }
    const [result, tookMs] = await timed(cli, () => client.rollback(tenant, request, options))
    reportWrite(cli, {
      result,
      tookMs,
      what: service === undefined ? tenant : `${tenant}/${service}`,
      json: flags.json,
    })
  })
}
