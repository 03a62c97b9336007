import { spawn } from 'node:child_process'
import type { Clock } from '@tributary/kit'
import type { OutputLog } from './output-log.js'
import { mayLive, type ProcessTable } from './process-table.js'

/** How a process ended. Both are null for one that was adopted: its status went to whoever reaped it. */
export interface ProcessExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A leader of a process group that runs a service. */
export interface ServiceProcess {
  readonly pid: number
  readonly startId: string
  /** Resolves when it has ended; never when `dispose` was called before. */
  readonly exited: Promise<ProcessExit>
  /** Stops watching it. The process keeps running. */
  dispose(): void
}

/** What to start. */
export interface SpawnOptions {
  readonly command: readonly string[]
  readonly workingDirectory: string
  readonly environment: Readonly<Record<string, string>>
  readonly log: OutputLog
  readonly table: ProcessTable
}

/** Starts a detached process group whose output goes to the log file itself. Rejects with the system's error when it cannot be started. */
export async function spawnService(options: SpawnOptions): Promise<ServiceProcess> {
  const [program, ...args] = options.command
  if (program === undefined) throw new TypeError('a command has at least one word')
  const output = await options.log.openForAppending()
  try {
    const child = spawn(program, args, {
      cwd: options.workingDirectory,
      env: { ...options.environment },
      stdio: ['ignore', output.fd, output.fd],
      detached: true,
    })
    const exited = new Promise<ProcessExit>((resolve) =>
      child.once('exit', (code, signal) => resolve({ code, signal })),
    )
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
    // The manager's own life does not depend on it: it is stopped or left running on purpose, never waited for.
    child.unref()
    const pid = child.pid ?? 0
    return {
      pid,
      startId: (await options.table.identify(pid)) ?? 'ended',
      exited,
      dispose: () => child.removeAllListeners('exit'),
    }
  } finally {
    await output.close()
  }
}

/** How an adopted process is watched: it is nobody's child here, so it is looked at. */
export interface AdoptOptions {
  readonly pid: number
  readonly startId: string
  readonly table: ProcessTable
  readonly clock: Clock
  readonly pollMs: number
}

/** Watches a process that an earlier manager started. */
export function adoptService(options: AdoptOptions): ServiceProcess {
  const disposed = new AbortController()
  return {
    pid: options.pid,
    startId: options.startId,
    exited: pollUntilGone(options, disposed.signal),
    dispose: () => disposed.abort(),
  }
}

/** Hundreds of services may be adopted at once, so most looks are one system call, and only some open a file. */
const LOOKS_PER_IDENTIFICATION = 5

async function pollUntilGone(options: AdoptOptions, signal: AbortSignal): Promise<ProcessExit> {
  for (let looks = 0; await isThere(options, looks); looks += 1) {
    const disposed = await options.clock.sleep(options.pollMs, signal).then(
      () => false,
      () => true,
    )
    if (disposed) return new Promise(() => undefined)
  }
  return { code: null, signal: null }
}

async function isThere({ pid, startId, table }: AdoptOptions, looks: number): Promise<boolean> {
  if (!mayLive(pid)) return false
  return looks % LOOKS_PER_IDENTIFICATION !== 0 || (await table.identify(pid)) === startId
}
