import type { Clock } from '@tributary/kit'
import { failure } from '../../errors.js'
import type { ProcessEntry, ProcessTable } from './process-table.js'

/** Which processes belong to a workload: all that bear its marker, and the group of its leader. */
export interface ProcessTarget {
  readonly marker: string
  /** The leader's pid is the group's id. Absent when it was never started or is not known. */
  readonly leader?: { readonly pid: number; readonly startId: string } | null
}

/** Who ends processes, and how patiently. */
export interface StopOptions {
  readonly table: ProcessTable
  readonly clock: Clock
  /** Between the polite request and the kill. */
  readonly graceMs: number
  readonly signal?: AbortSignal | undefined
}

const KILL_WAIT_MS = 5000
const FIRST_POLL_MS = 10
const SLOWEST_POLL_MS = 200

/**
 * The target's live processes, found by looking. `seen` collects them from look to look: a process that is about to end has lost its
 * marker already, and is still the target's until it is gone.
 */
async function findProcesses(
  table: ProcessTable,
  target: ProcessTarget,
  seen: Set<string>,
): Promise<readonly ProcessEntry[]> {
  const all = await table.list()
  const groupId = ownGroup(all, target)
  const found = all.filter(
    (entry) =>
      entry.marker === target.marker ||
      (groupId !== undefined && entry.groupId === groupId) ||
      seen.has(identityOf(entry)),
  )
  for (const entry of found) seen.add(identityOf(entry))
  return found
}

/** Of a process and of no later one with its pid. */
function identityOf({ pid, startId }: ProcessEntry): string {
  return `${pid} ${startId}`
}

/**
 * A pid is not given away while a group bears it, so a group is ours when its leader is the recorded process, when the leader has gone,
 * or when a member bears our marker. Otherwise the number belongs to somebody else by now.
 */
function ownGroup(all: readonly ProcessEntry[], target: ProcessTarget): number | undefined {
  const recorded = target.leader
  if (recorded === undefined || recorded === null) return undefined
  const leader = all.find((entry) => entry.pid === recorded.pid)
  const members = all.filter((entry) => entry.groupId === recorded.pid)
  const ours =
    leader === undefined ||
    leader.startId === recorded.startId ||
    members.some((entry) => entry.marker === target.marker)
  return ours ? recorded.pid : undefined
}

/**
 * Ends every process of the target: SIGTERM, `graceMs`, SIGKILL, and looks until none is left, those included that left the group.
 * @throws AppError `PLATFORM_STUCK` when processes outlive SIGKILL, `PLATFORM_CANCELED`.
 */
export async function stopProcesses(target: ProcessTarget, options: StopOptions): Promise<void> {
  const seen = new Set<string>()
  if (await allGoneWithin(target, options, { signalName: 'SIGTERM', waitMs: options.graceMs, seen })) return
  if (await allGoneWithin(target, options, { signalName: 'SIGKILL', waitMs: KILL_WAIT_MS, seen })) return
  const left = await findProcesses(options.table, target, seen)
  if (left.length === 0) return
  const pids = left.map((entry) => entry.pid).join(', ')
  throw failure(
    'PLATFORM_STUCK',
    `processes ${pids} of ${target.marker} are still there after SIGKILL; they are killed again later`,
  )
}

interface Attempt {
  readonly signalName: 'SIGTERM' | 'SIGKILL'
  readonly waitMs: number
  readonly seen: Set<string>
}

/** Processes that start meanwhile are signalled too: each gets the signal once. */
async function allGoneWithin(target: ProcessTarget, options: StopOptions, attempt: Attempt): Promise<boolean> {
  const signalled = new Set<string>()
  const deadline = options.clock.monotonicMs() + attempt.waitMs
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 2, SLOWEST_POLL_MS)) {
    const left = await findProcesses(options.table, target, attempt.seen)
    if (left.length === 0) return true
    for (const entry of left) sendOnce(entry, attempt.signalName, signalled)
    if (options.clock.monotonicMs() >= deadline) return false
    await sleepOrCancel(pollMs, target, options)
  }
}

function sendOnce(entry: ProcessEntry, signalName: NodeJS.Signals, signalled: Set<string>): void {
  const key = identityOf(entry)
  if (signalled.has(key)) return
  signalled.add(key)
  try {
    process.kill(entry.pid, signalName)
  } catch {
    // It ended between the look and the signal; the next look says so.
  }
}

async function sleepOrCancel(ms: number, target: ProcessTarget, options: StopOptions): Promise<void> {
  try {
    await options.clock.sleep(ms, options.signal)
  } catch (cause) {
    throw failure('PLATFORM_CANCELED', `stopping ${target.marker} was given up before it was done`, { cause })
  }
}
