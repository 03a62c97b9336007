import { randomUUID } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { localFailure, mapping } from './local-errors.js'
import type { LocalParts } from './local-parts.js'
import { stopProcesses } from './process-group.js'
import type { ProcessEntry } from './process-table.js'
import { removeCheckoutIfUnused, stopUnknown } from './retire-workloads.js'
import type { WorkloadRecord } from './workload-record.js'

/**
 * What an earlier manager left, and what becomes of it:
 *
 * | found | then |
 * | --- | --- |
 * | a record whose process lives (same pid, start and marker) | adopted |
 * | a record whose process has ended | started again |
 * | a record that was never launched (a crash during its deploy) | its processes are ended, it is removed |
 * | a process with our marker and no record | ended |
 */
export async function recover(parts: LocalParts, signal: AbortSignal): Promise<void> {
  await assertWritable(parts)
  const records = await parts.files.loadAll()
  const entries = await parts.table.list()
  parts.ports.claim(records.flatMap((record) => record.endpoints.map((endpoint) => endpoint.port)))
  const launched = records.filter((record) => record.launched)
  const unfinished = records.filter((record) => !record.launched)
  for (const record of launched) parts.workloads.add(parts.supervise(record))
  await Promise.all(unfinished.map((record) => discardRecord(parts, record)))
  await Promise.all(launched.map((record) => takeOver(parts, record, entries)))
  await stopUnknown(parts, { prefix: `${parts.instance}/`, signal })
}

async function takeOver(parts: LocalParts, record: WorkloadRecord, entries: readonly ProcessEntry[]): Promise<void> {
  const supervisor = parts.workloads.get(record.workloadId)
  const leader = entries.find((entry) => isLeader(entry, record))
  if (leader !== undefined) return supervisor.adopt(leader)
  const { table, clock } = parts
  // Without its leader the rest is of no use, and may hold the port.
  await stopProcesses({ marker: record.marker, leader: record.process }, { table, clock, graceMs: 0 })
  supervisor.resume()
}

function isLeader(entry: ProcessEntry, record: WorkloadRecord): boolean {
  const { process } = record
  if (process === null || entry.pid !== process.pid || entry.startId !== process.startId) return false
  return entry.marker === undefined || entry.marker === record.marker
}

async function discardRecord(parts: LocalParts, record: WorkloadRecord): Promise<void> {
  const { table, clock, graceMs } = parts
  await stopProcesses({ marker: record.marker, leader: record.process }, { table, clock, graceMs })
  await parts.files.remove(record)
  parts.ports.release(record.endpoints.map((endpoint) => endpoint.port))
  await removeCheckoutIfUnused(parts, record.checkout)
}

/** One clear line at the start beats a failed deploy later. */
async function assertWritable(parts: LocalParts): Promise<void> {
  const probe = join(parts.layout.root, `.probe-${randomUUID()}`)
  await mapping(`write into ${parts.layout.root}`, async () => {
    await mkdir(parts.layout.root, { recursive: true })
    await writeFile(probe, '')
    await rm(probe)
  }).catch((error: unknown) => {
    throw localFailure('use the data folder', error)
  })
}
