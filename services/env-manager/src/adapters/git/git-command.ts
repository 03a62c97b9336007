import { failure } from '../../errors.js'
import { runBounded, type CommandOutcome, type StopReason } from '../bounded-command.js'
import { gitFailure, gitSpawnFailure } from './git-errors.js'

/** One git command. `action` reads after "could not", e.g. `fetch shop`. */
export interface GitCommand {
  readonly action: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly environment: Readonly<Record<string, string>>
  /** Written to stdin, which is closed then. Default: no stdin. */
  readonly input?: string | undefined
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

function execute(command: GitCommand): Promise<CommandOutcome> {
  const { action, timeoutMs = DEFAULT_TIMEOUT_MS, maxOutputBytes = DEFAULT_MAX_OUTPUT_BYTES, ...rest } = command
  return runBounded({ file: 'git', ...rest, timeoutMs, maxOutputBytes }).catch((error: Error) => {
    throw gitSpawnFailure(action, error)
  })
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
