import { stat } from 'node:fs/promises'
import { failure } from '../../errors.js'
import type { PlatformContext, PlatformResource } from '../../ports/platform.js'
import { mapping } from './local-errors.js'
import type { LocalParts } from './local-parts.js'
import { stopProcesses } from './process-group.js'
import { removeTree } from './remove-tree.js'
import { discardWorkload, removeCheckoutIfUnused, stopUnknown } from './retire-workloads.js'
import { markerPrefix } from './workload-plan.js'

/**
 * Everything of this instance: folders on the disk, git's worktrees, processes that bear a marker.
 *
 * | kind | id |
 * | --- | --- |
 * | space | environment; its folder holds the rest |
 * | worktree | absolute path |
 * | process | marker, `<instance>/<environment>/<service>/<uuid>`; stands for all processes that bear it |
 */
export async function listResources(parts: LocalParts): Promise<readonly PlatformResource[]> {
  const [environments, worktrees, processes] = await Promise.all([
    parts.files.listEnvironments(),
    parts.checkouts.list(),
    listMarkers(parts),
  ])
  return [
    ...environments.map((environment) => ({ kind: 'space', id: environment, environment })),
    ...worktrees.map(({ directory, environment }) => ({ kind: 'worktree', id: directory, environment })),
    ...processes.map((marker) => ({ kind: 'process', id: marker, environment: marker.split('/')[1] ?? '' })),
  ]
}

async function listMarkers(parts: LocalParts): Promise<string[]> {
  const entries = await parts.table.list()
  const markers = entries.flatMap(({ marker }) => (marker?.startsWith(`${parts.instance}/`) === true ? [marker] : []))
  return [...new Set(markers)]
}

/** Looks again. @throws AppError `PLATFORM_RESOURCE_FOREIGN` */
export async function verifyGone(
  parts: LocalParts,
  resource: PlatformResource,
): Promise<{ readonly gone: boolean; readonly evidence: string }> {
  assertOwn(parts, resource)
  if (resource.kind === 'process') return verifyProcessGone(parts, resource.id)
  if (resource.kind === 'worktree') {
    const trace = await parts.checkouts.traceOf(resource.id)
    return { gone: trace === undefined, evidence: trace ?? `no folder ${resource.id}; git lists no such worktree` }
  }
  return verifySpaceGone(parts, resource.id)
}

async function verifyProcessGone(parts: LocalParts, marker: string): Promise<{ gone: boolean; evidence: string }> {
  const entries = await parts.table.list()
  const bearers = entries.filter((entry) => entry.marker === marker)
  if (bearers.length > 0)
    return { gone: false, evidence: `processes ${bearers.map(({ pid }) => pid).join(', ')} bear ${marker}` }
  const supervised = parts.workloads.list().some(({ record }) => record.marker === marker)
  if (supervised) return { gone: false, evidence: `${marker} is still supervised and would be started again` }
  return { gone: true, evidence: `none of ${entries.length} processes bears ${marker}` }
}

async function verifySpaceGone(parts: LocalParts, environment: string): Promise<{ gone: boolean; evidence: string }> {
  const path = parts.layout.space(environment)
  const there = await stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  )
  return { gone: !there, evidence: there ? `the folder ${path} is there` : `no folder ${path}` }
}

/** Removes one thing. @throws AppError `PLATFORM_RESOURCE_FOREIGN`, `PLATFORM_STUCK`. */
export async function removeResource(
  parts: LocalParts,
  resource: PlatformResource,
  context: PlatformContext,
): Promise<void> {
  assertOwn(parts, resource)
  if (resource.kind === 'space') return removeSpace(parts, resource.id, context)
  if (resource.kind === 'worktree')
    return parts.checkouts.removeUnused(resource.id, () => parts.workloads.usesCheckout(resource.id))
  const supervised = parts.workloads.list().find(({ record }) => record.marker === resource.id)
  if (supervised !== undefined) return discardWorkload(parts, supervised, context.signal)
  const { table, clock, graceMs } = parts
  await stopProcesses({ marker: resource.id }, { table, clock, graceMs, signal: context.signal })
}

/** Ends all processes of an environment, then removes its worktrees and its folder. */
export async function removeSpace(parts: LocalParts, environment: string, context: PlatformContext): Promise<void> {
  const copies = parts.workloads.list(environment)
  const results = await Promise.allSettled(copies.map((copy) => discardWorkload(parts, copy, context.signal)))
  await stopUnknown(parts, { prefix: markerPrefix(parts.instance, environment), signal: context.signal })
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  const checkouts = (await parts.checkouts.list()).filter((checkout) => checkout.environment === environment)
  for (const { directory } of checkouts) await removeCheckoutIfUnused(parts, directory)
  await mapping(`remove the folder of ${environment}`, () => removeTree(parts.layout.space(environment)))
}

/** Ids come from the ledger, but a wrong one must not make us kill or delete what is not ours. */
function assertOwn(parts: LocalParts, resource: PlatformResource): void {
  const own: Readonly<Record<string, () => boolean>> = {
    space: () => /^[a-z0-9-]{1,63}$/.test(resource.id),
    worktree: () => parts.layout.contains(resource.id),
    process: () => resource.id.startsWith(`${parts.instance}/`) && resource.id.split('/').length === 4,
  }
  if (own[resource.kind]?.() === true) return
  throw failure(
    'PLATFORM_RESOURCE_FOREIGN',
    `${resource.kind} ${JSON.stringify(resource.id)} is nothing that this installation made; it is left alone`,
  )
}
