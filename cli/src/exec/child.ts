import { spawn, type ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { cliError } from '../errors.js'

/** How a program ended, as a shell would say it: its status, or 128 plus the signal's number. */
export type ChildStatus = number

/** A program that runs in a process group of its own, so that everything that it starts ends with it. */
export interface Child {
  readonly exited: Promise<ChildStatus>
  /** Sends to the program alone: it decides what its own children get. */
  readonly signal: (signal: NodeJS.Signals) => void
  /** Asks the whole group to end, and kills it when it has not after `graceMs`. Resolves when none of it is left. */
  readonly stop: (graceMs: number) => Promise<void>
}

/** What to run. No shell is involved: `args` arrive as they are. */
export interface ChildSpec {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
}

const GROUP_POLL_MS = 20

/** After SIGKILL only zombies that nobody reaps can keep a group alive; they hold nothing. */
const REAP_MS = 1_000

/** Starts a program with the terminal of this process. Rejects with `CLI_COMMAND_NOT_FOUND` when it cannot be started. */
export async function startChild(spec: ChildSpec): Promise<Child> {
  const child = spawn(spec.command, spec.args, {
    cwd: spec.cwd,
    env: { ...spec.env },
    stdio: 'inherit',
    detached: true,
  })
  const exited = new Promise<ChildStatus>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
  })
  const pid = await started(child, spec.command)
  return {
    exited,
    signal: (signal) => void child.kill(signal),
    stop: async (graceMs) => {
      if (!signalGroup(pid, 'SIGTERM')) return
      const deadline = performance.now() + graceMs
      while (signalGroup(pid, 0) && performance.now() < deadline + REAP_MS) {
        if (performance.now() >= deadline) signalGroup(pid, 'SIGKILL')
        await delay(GROUP_POLL_MS)
      }
    },
  }
}

function started(child: ChildProcess, command: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid ?? 0))
    child.once('error', (error: NodeJS.ErrnoException) => {
      const cause = error.code === 'ENOENT' ? 'there is no such program' : (error.code ?? error.message)
      reject(cliError('CLI_COMMAND_NOT_FOUND', `cannot run ${command}; ${cause}; check the name after --`, error))
    })
  })
}

/** False when the group has no process left. Signal 0 only looks. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal)
    return true
  } catch {
    return false
  }
}
