import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { mapping } from './local-errors.js'
import type { LocalParts } from './local-parts.js'
import { stopProcesses } from './process-group.js'
import { markerPrefix } from './workload-plan.js'
import type { WorkloadSupervisor } from './workload-supervisor.js'

/** Logs of retired copies of a service that are kept until its space goes. */
const KEPT_LOGS = 3

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
  await pruneLogs(parts, target)
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

/** Old copies' logs stay readable for a while; how many is bounded. */
async function pruneLogs(parts: LocalParts, target: RetireTarget): Promise<void> {
  const folder = parts.layout.logs(target.environment)
  const live = new Set(parts.workloads.list(target.environment).map(({ record }) => `${record.workloadId}.log`))
  await mapping(`remove old logs of ${target.service}`, async () => {
    const names = (await readdir(folder).catch(() => [])).filter(
      (name) => isLogOf(name, target.service) && !live.has(name),
    )
    const dated = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })))
    const newestFirst = dated.sort((left, right) => right.at - left.at)
    for (const { name } of newestFirst.slice(KEPT_LOGS)) {
      await rm(join(folder, name), { force: true })
      await rm(join(folder, `${name}.1`), { force: true })
    }
  })
}

/** Workload ids are `<environment>.<generation>.<service>.…`, and none of these has a dot in it. */
function isLogOf(fileName: string, service: string): boolean {
  return fileName.endsWith('.log') && fileName.split('.')[2] === service
}
