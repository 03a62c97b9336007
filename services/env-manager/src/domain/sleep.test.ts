import { describe, expect, it } from 'vitest'
import { newEnvironmentRecord } from './environment-record.js'
import { fallsAsleepAt } from './sleep.js'

const HOUR = 3_600_000
const record = newEnvironmentRecord({
  name: 'feature-x',
  branch: 'feature/x',
  stage: 'development',
  generation: 1,
  heads: {},
  now: 10 * HOUR,
})
const around = { sleepAfterMs: 4 * HOUR, lastRequestAt: null }

describe('when an environment falls asleep', () => {
  it('is so long after its last push, request or waking, whichever is the latest', () => {
    expect(fallsAsleepAt(record, around)).toBe(14 * HOUR)
    expect(fallsAsleepAt(record, { ...around, lastRequestAt: 11 * HOUR })).toBe(15 * HOUR)
    expect(fallsAsleepAt({ ...record, lastPushAt: 12 * HOUR }, { ...around, lastRequestAt: 11 * HOUR })).toBe(16 * HOUR)
    expect(fallsAsleepAt({ ...record, wokenAt: 20 * HOUR }, around)).toBe(24 * HOUR)
  })

  it.each([
    ['nobody wants that', record, { ...around, sleepAfterMs: null }],
    ['it is pinned', { ...record, pinned: true }, around],
    ['it is asleep', { ...record, asleep: { since: 0, reason: 'idle' as const } }, around],
    ['it is being torn down', { ...record, tombstone: { reason: 'requested', at: 0 } }, around],
    ['everybody falls back to it', { ...record, name: 'integration' }, around],
  ])('is never while %s', (_why, given, surroundings) => {
    expect(fallsAsleepAt(given, surroundings)).toBeNull()
  })
})
