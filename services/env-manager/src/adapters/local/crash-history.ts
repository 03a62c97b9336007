import { backoffMs } from '@tributary/kit'
import type { ProcessExit } from './service-process.js'

/** Exits in a row after which a service is said to keep dying. */
export const CRASH_LOOP_EXITS = 3
/** A service that was healthy for this long starts with a clean slate. */
export const STABLE_AFTER_MS = 60_000

/** Deaths in a row, i.e. without a stable life in between. Times are monotonic milliseconds. */
export interface CrashHistory {
  readonly exits: number
  readonly firstExitAt: number
}

/** No deaths yet. */
export const NO_CRASHES: CrashHistory = { exits: 0, firstExitAt: 0 }

/** The history after an exit at `nowMs` of a life that was healthy for `healthyMs`. */
export function afterExit(
  history: CrashHistory,
  life: { readonly nowMs: number; readonly healthyMs: number },
): CrashHistory {
  if (history.exits === 0 || life.healthyMs >= STABLE_AFTER_MS) return { exits: 1, firstExitAt: life.nowMs }
  return { ...history, exits: history.exits + 1 }
}

/** Whether the service keeps dying. It is tried again all the same. */
export function isCrashLoop(history: CrashHistory): boolean {
  return history.exits >= CRASH_LOOP_EXITS
}

/** Pause before the next start: at most 0.2 s after the first death, doubling up to 30 s, with full jitter. */
export function restartDelayMs(history: CrashHistory, random: () => number): number {
  return backoffMs(Math.max(1, history.exits), { initialMs: 200, maxMs: 30_000, random })
}

/** One line for people, e.g. `exited with code 1 three times in 10 s: Error: no database`. */
export function describeCrashes(
  history: CrashHistory,
  exit: ProcessExit,
  more: { readonly nowMs: number; readonly lastLine: string | undefined },
): string {
  const seconds = Math.max(1, Math.round((more.nowMs - history.firstExitAt) / 1000))
  const often = history.exits > 1 ? ` ${times(history.exits)} in ${seconds} s` : ''
  return `${describeExit(exit)}${often}${more.lastLine === undefined ? '; it printed nothing' : `: ${more.lastLine}`}`
}

function describeExit(exit: ProcessExit): string {
  if (exit.signal !== null) return `was killed by ${exit.signal}`
  return exit.code === null
    ? 'exited (its status is unknown: the manager was restarted meanwhile)'
    : `exited with code ${exit.code}`
}

function times(count: number): string {
  return ['never', 'once', 'twice', 'three times', 'four times', 'five times'][count] ?? `${count} times`
}
