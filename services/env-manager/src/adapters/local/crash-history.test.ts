import { describe, expect, test } from 'vitest'
import {
  afterExit,
  describeCrashes,
  isCrashLoop,
  NO_CRASHES,
  restartDelayMs,
  STABLE_AFTER_MS,
} from './crash-history.js'

const EXIT = { code: 1, signal: null }

describe('a crash history', () => {
  test('calls three deaths in a row a crash loop', () => {
    let history = NO_CRASHES
    const loops = [1000, 1100, 1300].map((nowMs) =>
      isCrashLoop((history = afterExit(history, { nowMs, healthyMs: 0 }))),
    )
    expect(loops).toEqual([false, false, true])
    expect(describeCrashes(history, EXIT, { nowMs: 1300, lastLine: 'no database' })).toBe(
      'exited with code 1 three times in 1 s: no database',
    )
  })

  test('forgets deaths before a stable life', () => {
    const three = { exits: 3, firstExitAt: 0 }
    const after = afterExit(three, { nowMs: 90_000, healthyMs: STABLE_AFTER_MS })
    expect(after).toEqual({ exits: 1, firstExitAt: 90_000 })
    expect(afterExit(three, { nowMs: 90_000, healthyMs: STABLE_AFTER_MS - 1 }).exits).toBe(4)
  })

  test('waits longer from death to death, within bounds', () => {
    const longest = (exits: number): number => restartDelayMs({ exits, firstExitAt: 0 }, () => 0.999_999)
    expect([1, 2, 3].map(longest)).toEqual([200, 400, 800])
    expect(longest(1000)).toBe(30_000)
    expect(restartDelayMs({ exits: 5, firstExitAt: 0 }, () => 0)).toBe(1)
  })

  test.each([
    [{ code: 2, signal: null }, 'exited with code 2; it printed nothing'],
    [{ code: null, signal: 'SIGKILL' as const }, 'was killed by SIGKILL; it printed nothing'],
    [
      { code: null, signal: null },
      'exited (its status is unknown: the manager was restarted meanwhile); it printed nothing',
    ],
  ])('describes %j', (exit, text) => {
    expect(describeCrashes({ exits: 1, firstExitAt: 0 }, exit, { nowMs: 0, lastLine: undefined })).toBe(text)
  })
})
