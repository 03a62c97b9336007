import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Clock } from '@tributary/kit'
import { failure } from '../../errors.js'
import { localFailure } from './local-errors.js'
import { stopProcesses } from './process-group.js'
import type { ProcessTable } from './process-table.js'

/** A build to be run. `what` names it in errors, e.g. `orders at 0123abcd`. */
export interface BuildOptions {
  readonly what: string
  readonly command: readonly string[]
  readonly workingDirectory: string
  readonly environment: Readonly<Record<string, string>>
  /** Marker that `environment` holds: by it everything that the build started is ended. */
  readonly marker: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly log: (text: string) => void
  readonly table: ProcessTable
  readonly clock: Clock
}

const LAST_LINES = 20
const MAX_LINE_CHARACTERS = 4096
const STOP_GRACE_MS = 2000

/** Runs a build in its own process group and ends whatever it leaves. @throws AppError `PLATFORM_BUILD_FAILED`, `PLATFORM_CANCELED`. */
export async function runBuild(options: BuildOptions): Promise<void> {
  const last: string[] = []
  const timeout = AbortSignal.timeout(options.timeoutMs)
  const outcome = await execute(options, timeout, (line) => {
    last.push(line)
    if (last.length > LAST_LINES) last.shift()
    options.log(line)
  })
  if (options.signal.aborted) {
    throw failure('PLATFORM_CANCELED', `the build of ${options.what} was stopped: it is no longer wanted`, {
      cause: options.signal.reason,
    })
  }
  if (outcome === 0) return
  const why = timeout.aborted ? `was stopped after ${Math.round(options.timeoutMs / 1000)} s` : `ended with ${outcome}`
  const output = last.length === 0 ? 'it printed nothing' : `its last lines:\n${last.join('\n')}`
  throw failure('PLATFORM_BUILD_FAILED', `the build of ${options.what} ${why}; ${output}`, {
    details: { command: options.command[0] },
  })
}

async function execute(
  options: BuildOptions,
  timeout: AbortSignal,
  onLine: (line: string) => void,
): Promise<number | string> {
  const { table, clock, marker } = options
  let leader: { pid: number; startId: string } | null = null
  const stop = (): void => {
    stopProcesses({ marker, leader }, { table, clock, graceMs: STOP_GRACE_MS }).catch((error: unknown) =>
      options.log(`the build could not be stopped: ${localFailure('stop it', error).message}`),
    )
  }
  options.signal.addEventListener('abort', stop, { once: true })
  timeout.addEventListener('abort', stop, { once: true })
  try {
    return await spawnAndWait(options, onLine, (pid) => {
      leader = { pid, startId: '' }
      if (options.signal.aborted) stop()
    })
  } finally {
    options.signal.removeEventListener('abort', stop)
    timeout.removeEventListener('abort', stop)
    await stopProcesses({ marker, leader }, { table, clock, graceMs: 0 })
  }
}

async function spawnAndWait(
  options: BuildOptions,
  onLine: (line: string) => void,
  onPid: (pid: number) => void,
): Promise<number | string> {
  const [program, ...args] = options.command
  const child = spawn(program ?? '', args, {
    cwd: options.workingDirectory,
    env: { ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) =>
      onLine(line.slice(0, MAX_LINE_CHARACTERS)),
    )
  }
  return new Promise((resolve, reject) => {
    child.once('spawn', () => onPid(child.pid ?? 0))
    child.once('error', (error: NodeJS.ErrnoException) => reject(cannotStart(options, error)))
    // What a build leaves in the background may hold the pipes for ever: the leader's end is the build's end.
    child.once('exit', (code, signal) => {
      const finish = (): void => resolve(code ?? `signal ${signal ?? 'unknown'}`)
      const timer = setTimeout(finish, 200)
      child.once('close', () => {
        clearTimeout(timer)
        finish()
      })
    })
  })
}

function cannotStart(options: BuildOptions, error: NodeJS.ErrnoException): Error {
  const program = JSON.stringify(options.command[0])
  const why =
    error.code === 'ENOENT'
      ? `there is no program ${program} in its folder or on PATH`
      : `${program} did not start (${error.code ?? error.message})`
  return failure('PLATFORM_BUILD_FAILED', `the build of ${options.what} did not start: ${why}`, { cause: error })
}
