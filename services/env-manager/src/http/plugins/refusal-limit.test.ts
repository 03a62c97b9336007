import { ManualClock } from '@tributary/testkit'
import { describe, expect, it } from 'vitest'
import { RefusalLimit } from './refusal-limit.js'

describe('the limit of refused requests in the audit log', () => {
  it('takes twenty of each name in a minute, and more in the next', () => {
    const clock = new ManualClock()
    const limit = new RefusalLimit(clock)
    const taken = (name: string): number => Array.from({ length: 50 }, () => limit.takes(name)).filter(Boolean).length
    expect([taken('jane'), taken('paul'), taken('jane')]).toEqual([20, 20, 0])
    clock.advance(60_000)
    expect(taken('jane')).toBe(20)
  })

  it('remembers no more than a thousand names', () => {
    const limit = new RefusalLimit(new ManualClock())
    const taken = Array.from({ length: 1_100 }, (_, index) => limit.takes(`person ${index}`)).filter(Boolean)
    expect(taken).toHaveLength(1_000)
  })
})
