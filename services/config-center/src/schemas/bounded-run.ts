import { createContext, Script } from 'node:vm'

/** The outcome of a call that was given a limit of time. */
export type BoundedOutcome<T> = { readonly done: true; readonly value: T } | { readonly done: false }

// Making a context costs ten times what a run does, so all runs share one. They never overlap: each is synchronous.
const sandbox = { work: (): void => undefined }
const context = createContext(sandbox)
const call = new Script('work()')

/** Share of the limit that must have been computed for a run that was stopped to count as too slow. */
const ENOUGH = 0.8
/** Longest that a run may take in all, as a multiple of its limit, however little of it the machine lets this process compute. */
const MAX_STRETCH = 64
const STRETCH = 4

/**
 * Runs `work` in this thread and stops it once it has computed for `limitMs`, wherever it is: in a loop, a recursion, or a regular
 * expression that backtracks without end. On a busy machine it gets more time, and is begun again: it must bear that. What `work` throws is
 * thrown.
 */
export function runBounded<T>(work: () => T, limitMs: number): BoundedOutcome<T> {
  for (let stretch = 1; ; stretch *= STRETCH) {
    const startedAt = cpuMs()
    const outcome = runFor(work, limitMs * stretch)
    if (outcome.done || cpuMs() - startedAt >= limitMs * ENOUGH || stretch >= MAX_STRETCH) return outcome
  }
}

/** Time that this process has computed, milliseconds. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

function runFor<T>(work: () => T, timeoutMs: number): BoundedOutcome<T> {
  const outcome: { value?: T } = {}
  try {
    sandbox.work = () => {
      outcome.value = work()
    }
    call.runInContext(context, { timeout: Math.max(1, Math.ceil(timeoutMs)) })
  } catch (error) {
    if (isTimeout(error)) return { done: false }
    throw error
  } finally {
    sandbox.work = () => undefined
  }
  return { done: true, value: outcome.value as T }
}

function isTimeout(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}
