import type { ConfigCenterClient, ServiceRef } from '@tributary/client'
import type { Change, WriteResult } from '@tributary/contract'
import { isAppError } from '@tributary/kit'
import type { Command } from 'commander'
import { parseRemovals } from '../../assignments.js'
import type { Cli } from '../../context.js'
import { mergeKeepingNulls } from './merge-keeping-nulls.js'
import { reportWrite, timed } from './report-write.js'
import { showImpact } from './show-impact.js'
import { expected, toWriteOptions, writeOptions, type WriteFlags } from './write-options.js'

type UnsetFlags = WriteFlags & { readonly hide?: true }

interface UnsetTarget {
  readonly tenant: string
  readonly service: string
  readonly removals: Record<string, unknown>
}

/** `tributary config unset <tenant> <service> key…` */
export function addConfigUnset(parent: Command, cli: Cli): void {
  writeOptions(
    parent
      .command('unset')
      .description('remove values from a tenant’s own document; inherited values show through again')
      .argument('<tenant>')
      .argument('<service>', 'or * for the tenant-wide document')
      .argument('<keys...>', 'pageSize limits.perUser')
      .option('--hide', 'hide the inherited value too: the tenant sees none'),
  ).action(async (...call: [string, string, string[], UnsetFlags, Command]) => {
    const [tenant, service, keys, flags, command] = call
    const target = { tenant, service, removals: parseRemovals(keys) }
    const client = await cli.configCenter(command)
    if (flags.dryRun) {
      const change = await changeOf(client, { ...target, flags })
      return showImpact(cli, { impact: (options) => client.checkImpact({ changes: [change] }, options), flags })
    }
    const [result, tookMs] = await timed(cli, () =>
      flags.hide
        ? hideValues(cli, client, { ...target, flags })
        : client.patchDocument({ tenant, service }, target.removals, toWriteOptions(flags, cli)),
    )
    reportWrite(cli, { result, tookMs, what: `${tenant}/${service}`, json: flags.json })
  })
}

/** The command as one change of a transaction. */
async function changeOf(
  client: ConfigCenterClient,
  { tenant, service, removals, flags }: UnsetTarget & { flags: UnsetFlags },
): Promise<Change> {
  const place = { tenant, service, ...expected(flags) }
  if (!flags.hide) return { op: 'patch-document', patch: removals, ...place }
  const current = await ownDocument(client, { tenant, service })
  return { op: 'apply-document', data: mergeKeepingNulls(current.data, removals), ...place }
}

/** A stored `null` removes at resolution; a patch cannot store one, so the document is read and put back as a whole. */
async function hideValues(
  cli: Cli,
  client: ConfigCenterClient,
  { tenant, service, removals, flags }: UnsetTarget & { flags: UnsetFlags },
): Promise<WriteResult> {
  const current = await ownDocument(client, { tenant, service })
  return client.applyDocument({ tenant, service }, mergeKeepingNulls(current.data, removals), {
    expectedRevision: current.revision,
    ...toWriteOptions(flags, cli),
  })
}

async function ownDocument(
  client: ConfigCenterClient,
  ref: ServiceRef,
): Promise<{ data: Record<string, unknown>; revision: string }> {
  try {
    return await client.getDocument(ref)
  } catch (error) {
    if (isAppError(error) && error.kind === 'not_found') return { data: {}, revision: '0' }
    throw error
  }
}
