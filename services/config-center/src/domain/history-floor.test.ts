import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countForgotten } from './history-floor.js'

const DAY = 86_400_000

describe('countForgotten', () => {
  it('keeps the newest records up to the number', () => {
    const records = [5, 4, 3, 2, 1].map((at) => ({ at }))
    expect(countForgotten(records, { maxRecords: 3, maxAgeMs: DAY }, 6)).toBe(2)
  })

  it('forgets what is too old', () => {
    const records = [9 * DAY, 8 * DAY, 2 * DAY, 1 * DAY].map((at) => ({ at }))
    expect(countForgotten(records, { maxRecords: 100, maxAgeMs: 3 * DAY }, 10 * DAY)).toBe(2)
  })

  it('forgets nothing that lies before a young record, when a clock went wrong once', () => {
    const records = [9 * DAY, 0, 8 * DAY, 1 * DAY].map((at) => ({ at }))
    expect(countForgotten(records, { maxRecords: 100, maxAgeMs: 3 * DAY }, 10 * DAY)).toBe(1)
  })

  it('never keeps more than the number, nor a record at the old end that is too old, nor forgets one that is neither', () => {
    const times = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 20 })
    fc.assert(
      fc.property(times, fc.nat(20), fc.nat(50), (ats, maxRecords, maxAgeMs) => {
        const records = ats.map((at) => ({ at }))
        const kept = records.length - countForgotten(records, { maxRecords, maxAgeMs }, 50)
        const young = (index: number): boolean => (ats[index] ?? 0) >= 50 - maxAgeMs
        expect(kept).toBeLessThanOrEqual(maxRecords)
        if (kept > 0) expect(kept === maxRecords || young(kept - 1)).toBe(true)
        for (let index = kept; index < records.length; index += 1) {
          if (index >= maxRecords) break
          expect(young(index)).toBe(false)
        }
      }),
    )
  })
})
