import type { LocalParts } from './local-parts.js'
import { stopProcesses } from './process-group.js'
import { pruneRetiredLogs } from './retired-logs.js'
import { markerPrefix } from './workload-plan.js'
import type { WorkloadSupervisor } from './workload-supervisor.js'

/** Ends a copy with all it started, and removes its record, its ports and, when nobody else needs it, its worktree. Idempotent. */
export async function discardWorkload(
  parts: LocalParts,
  supervisor: WorkloadSupervisor,
  signal?: AbortSignal,
): Promise<void> {
  const { record } = supervisor
  await supervisor.stop(signal)
  await parts.files.remove(record)
  parts.workloads.delete(record.workloadId)
  parts.ports.release(supervisor.record.endpoints.map((endpoint) => endpoint.port))
}

/** Which copies of a service go. */
export interface RetireTarget {
  readonly environment: string
  readonly service: string
  readonly keepWorkloadId?: string
}

/** Ends every copy of the service but one, also processes that no record knows, and tidies up after them. */
export async function retireWorkloads(parts: LocalParts, target: RetireTarget, signal?: AbortSignal): Promise<void> {
  const copies = parts.workloads.list(target.environment, target.service)
  const kept = copies.find(({ record }) => record.workloadId === target.keepWorkloadId)
  const going = copies.filter((copy) => copy !== kept)
  const results = await Promise.allSettled(going.map((copy) => discardWorkload(parts, copy, signal)))
  await stopUnknown(parts, { prefix: markerPrefix(parts.instance, target.environment, target.service), signal })
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  for (const { record } of going) await removeCheckoutIfUnused(parts, record.checkout)
  const live = parts.workloads.list(target.environment, target.service).map(({ record }) => record.workloadId)
  await pruneRetiredLogs(parts.layout, target, new Set(live))
}

/** Removes a worktree that no workload needs. */
export async function removeCheckoutIfUnused(parts: LocalParts, checkout: string): Promise<void> {
  await parts.checkouts.removeUnused(checkout, () => parts.workloads.usesCheckout(checkout))
}

/** Ends processes whose marker begins with `prefix` and belongs to no workload that is looked after. */
export async function stopUnknown(
  parts: LocalParts,
  target: { readonly prefix: string; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const known = new Set(parts.workloads.list().map(({ record }) => record.marker))
  const entries = await parts.table.list()
  const markers = new Set(
    entries.flatMap(({ marker }) => (marker?.startsWith(target.prefix) === true && !known.has(marker) ? [marker] : [])),
  )
  const { table, clock, graceMs } = parts
  await Promise.all(
    [...markers].map((marker) => stopProcesses({ marker }, { table, clock, graceMs, signal: target.signal })),
  )
}
