import { spawn, type ChildProcess } from 'node:child_process'
import { failure } from '../../errors.js'
import { gitFailure, gitSpawnFailure } from './git-errors.js'

/** One git command. `action` reads after "could not", e.g. `fetch shop`. */
export interface GitCommand {
  readonly action: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly environment: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
  /** Default 60,000. Afterwards the command and its children are stopped. */
  readonly timeoutMs?: number
  /** Bound of stdout. Default 64 MiB. */
  readonly maxOutputBytes?: number
  /** Exit codes that are an answer and not a failure. Default `[0]`. */
  readonly answers?: readonly number[]
}

/** What a command that ended as an answer printed. */
export interface GitAnswer {
  readonly exitCode: number
  readonly stdout: Buffer
}

const DEFAULT_TIMEOUT_MS = 60_000
const DEFAULT_MAX_OUTPUT_BYTES = 64 * 1024 * 1024
const MAX_STDERR_BYTES = 64 * 1024
const KILL_AFTER_MS = 2000

type StopReason = 'timeout' | 'canceled' | 'too-large'

/**
 * Runs git with an argument vector, never a shell, in a process group of its own.
 * @throws AppError `GIT_*` as git-errors.ts maps it, `GIT_TIMEOUT`, `GIT_CANCELED`, `GIT_OUTPUT_TOO_LARGE`, `GIT_NOT_INSTALLED`.
 */
export async function runGit(command: GitCommand): Promise<GitAnswer> {
  if (command.signal?.aborted === true) throw stopFailure(command, 'canceled')
  const outcome = await execute(command)
  if (outcome.stopped !== undefined) throw stopFailure(command, outcome.stopped)
  if (outcome.exitCode !== null && (command.answers ?? [0]).includes(outcome.exitCode)) {
    return { exitCode: outcome.exitCode, stdout: outcome.stdout }
  }
  throw gitFailure({ action: command.action, exitCode: outcome.exitCode, stderr: outcome.stderr })
}

interface Outcome {
  readonly exitCode: number | null
  readonly stdout: Buffer
  readonly stderr: string
  readonly stopped: StopReason | undefined
}

function execute(command: GitCommand): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', [...command.args], {
      cwd: command.cwd,
      env: { ...command.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Its own group: git starts ssh and remote helpers, which must end with it, and has no terminal to ask at.
      detached: true,
    })
    const stopper = new Stopper(child, command)
    const stdout = collect(child.stdout, command.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES, () =>
      stopper.stop('too-large'),
    )
    const stderr = collect(child.stderr, MAX_STDERR_BYTES, () => undefined)
    child.once('error', (error) => {
      stopper.dispose()
      reject(gitSpawnFailure(command.action, error))
    })
    child.once('close', (exitCode) => {
      stopper.dispose()
      resolve({ exitCode, stdout: stdout(), stderr: stderr().toString('utf8'), stopped: stopper.reason })
    })
  })
}

/** Gathers at most `maxBytes` of a stream; the rest is read and dropped, so that the writer does not block. */
function collect(stream: NodeJS.ReadableStream, maxBytes: number, onOverflow: () => void): () => Buffer {
  const chunks: Buffer[] = []
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    const room = maxBytes - bytes
    if (chunk.length > room) onOverflow()
    if (room > 0) chunks.push(chunk.subarray(0, room))
    bytes += Math.min(chunk.length, room)
  })
  return () => Buffer.concat(chunks)
}

/** Ends a command when its time is up or nobody wants it any more: asks the group first, so that git removes its lock files. */
class Stopper {
  reason: StopReason | undefined
  private readonly timer: NodeJS.Timeout
  private killTimer: NodeJS.Timeout | undefined
  private readonly onAbort = (): void => this.stop('canceled')

  constructor(
    private readonly child: ChildProcess,
    private readonly command: GitCommand,
  ) {
    this.timer = setTimeout(() => this.stop('timeout'), command.timeoutMs ?? DEFAULT_TIMEOUT_MS)
    command.signal?.addEventListener('abort', this.onAbort, { once: true })
  }

  stop(reason: StopReason): void {
    if (this.reason !== undefined) return
    this.reason = reason
    this.signalGroup('SIGTERM')
    this.killTimer = setTimeout(() => this.signalGroup('SIGKILL'), KILL_AFTER_MS)
  }

  dispose(): void {
    clearTimeout(this.timer)
    clearTimeout(this.killTimer)
    this.command.signal?.removeEventListener('abort', this.onAbort)
  }

  private signalGroup(signal: NodeJS.Signals): void {
    if (this.child.pid === undefined) return
    try {
      process.kill(-this.child.pid, signal)
    } catch {
      // The group has ended in the meantime.
    }
  }
}

function stopFailure(command: GitCommand, reason: StopReason): Error {
  if (reason === 'canceled') {
    return failure('GIT_CANCELED', `stopped while trying to ${command.action}: it is no longer wanted`, {
      cause: command.signal?.reason,
    })
  }
  if (reason === 'timeout') {
    const seconds = Math.round((command.timeoutMs ?? DEFAULT_TIMEOUT_MS) / 1000)
    return failure('GIT_TIMEOUT', `could not ${command.action}: git was stopped after ${seconds} s; it is tried again`)
  }
  return failure(
    'GIT_OUTPUT_TOO_LARGE',
    `could not ${command.action}: git printed more than the bound of ${command.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES} bytes`,
  )
}
