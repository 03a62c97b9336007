import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { approvalIdOf, decideRemovals, type Removal } from './deletion-breaker.js'

const removals = (count: number): readonly Removal[] =>
  Array.from({ length: count }, (_, index) => ({ name: `e${index}`, generation: 1 }))

describe('decideRemovals', () => {
  it.each([
    [5, 5, 'allowed'],
    [6, 6, 'frozen'],
    [6, 29, 'frozen'],
    [6, 30, 'allowed'],
    [20, 100, 'allowed'],
    [21, 100, 'frozen'],
    [0, 0, 'allowed'],
  ])('%i of %i is %s', (count, total, state) => {
    expect(decideRemovals({ removals: removals(count), total, approvedId: undefined }).state).toBe(state)
  })

  it('lets exactly the approved set go', () => {
    const id = approvalIdOf(removals(8))
    const decide = (set: readonly Removal[]): string =>
      decideRemovals({ removals: set, total: 10, approvedId: id }).state
    expect(decide(removals(8))).toBe('allowed')
    expect(decide(removals(7))).toBe('frozen')
    expect(decide(removals(9))).toBe('frozen')
    expect(decide(removals(8).map((one) => ({ ...one, generation: 2 })))).toBe('frozen')
  })

  it('identifies a set whatever its order', () => {
    const set = fc.uniqueArray(fc.record({ name: fc.stringMatching(/^[a-z]{1,5}$/), generation: fc.nat() }), {
      selector: (one) => one.name,
    })
    fc.assert(
      fc.property(set, (some) => {
        expect(approvalIdOf([...some].reverse())).toBe(approvalIdOf(some))
      }),
    )
  })

  it('says how many of how many, and what it waits for', () => {
    const decision = decideRemovals({ removals: removals(8), total: 10, approvedId: undefined })
    expect(decision).toMatchObject({
      state: 'frozen',
      reason: expect.stringContaining('remove 8 of 10 environments (more than 5)'),
    })
  })
})
