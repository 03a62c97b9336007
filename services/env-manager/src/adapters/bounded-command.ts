import { spawn, type ChildProcess } from 'node:child_process'

/** A program to be run with an argument vector, within bounds. */
export interface BoundedCommand {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd: string
  /** The whole environment: nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>
  /** Written to stdin, which is closed then. Default: no stdin. */
  readonly input?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** Afterwards the command and its children are stopped. */
  readonly timeoutMs: number
  /** From being asked to end to being killed. Default 2,000. */
  readonly killAfterMs?: number
  /** Bound of stdout: a command that prints more is stopped. Of stderr the first 64 KiB are kept. */
  readonly maxOutputBytes: number
}

/** Why a command was stopped before its end. */
export type StopReason = 'timeout' | 'canceled' | 'too-large'

/** How a command ended. `exitCode` is null when a signal ended it. */
export interface CommandOutcome {
  readonly exitCode: number | null
  readonly stdout: Buffer
  readonly stderr: string
  readonly stopped: StopReason | undefined
}

const MAX_STDERR_BYTES = 64 * 1024
const KILL_AFTER_MS = 2000

/**
 * Runs a program in a process group of its own, never through a shell. Resolves however it ends, once nothing of it runs any more; rejects
 * with the system's error when it cannot be started.
 */
export function runBounded(command: BoundedCommand): Promise<CommandOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command.file, [...command.args], {
      cwd: command.cwd,
      env: { ...command.environment },
      stdio: [command.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      // Its own group: what it starts must end with it, and it has no terminal to ask at.
      detached: true,
    })
    const stopper = new Stopper(child, command)
    const stdout = collect(child.stdout, command.maxOutputBytes, () => stopper.stop('too-large'))
    const stderr = collect(child.stderr, MAX_STDERR_BYTES, () => undefined)
    child.once('error', (error) => {
      stopper.dispose()
      reject(error)
    })
    child.once('close', (exitCode) => {
      stopper.dispose()
      resolve({ exitCode, stdout: stdout(), stderr: stderr().toString('utf8'), stopped: stopper.reason })
    })
    // A program that ends without reading its input says why by its status and on stderr.
    child.stdin?.on('error', () => undefined).end(command.input)
  })
}

/** Gathers at most `maxBytes` of a stream; the rest is read and dropped, so that the writer does not block. */
function collect(stream: NodeJS.ReadableStream | null, maxBytes: number, onOverflow: () => void): () => Buffer {
  const chunks: Buffer[] = []
  let bytes = 0
  stream?.on('data', (chunk: Buffer) => {
    const room = maxBytes - bytes
    if (chunk.length > room) onOverflow()
    if (room > 0) chunks.push(chunk.subarray(0, room))
    bytes += Math.min(chunk.length, room)
  })
  return () => Buffer.concat(chunks)
}

/** Ends a command when its time is up or nobody wants it any more: asks the group first, so that it can leave things in order. */
class Stopper {
  reason: StopReason | undefined
  private readonly timer: NodeJS.Timeout
  private killTimer: NodeJS.Timeout | undefined
  private readonly onAbort = (): void => this.stop('canceled')

  constructor(
    private readonly child: ChildProcess,
    private readonly command: BoundedCommand,
  ) {
    this.timer = setTimeout(() => this.stop('timeout'), command.timeoutMs)
    command.signal?.addEventListener('abort', this.onAbort, { once: true })
    if (command.signal?.aborted === true) this.onAbort()
  }

  stop(reason: StopReason): void {
    if (this.reason !== undefined) return
    this.reason = reason
    this.signalGroup('SIGTERM')
    this.killTimer = setTimeout(() => this.signalGroup('SIGKILL'), this.command.killAfterMs ?? KILL_AFTER_MS)
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
