import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { surplusSessions, type HeldSession } from './session-limits.js'

const limits = { perHolder: 3, total: 6 }
const session = (holder: string, usedAt: number): HeldSession => ({ key: `${holder}${usedAt}`, holder, usedAt })

describe('surplusSessions', () => {
  it('ends none while there is room', () => {
    expect(surplusSessions([session('jane', 1), session('jane', 2)], 'jane', limits)).toEqual([])
  })

  it('ends the one of the same holder that was not used for longest', () => {
    const live = [session('jane', 5), session('jane', 1), session('rita', 0), session('jane', 3)]
    expect(surplusSessions(live, 'jane', limits)).toEqual(['jane1'])
  })

  it('ends one of the same holder when there are too many in all, and somebody else’s only for want of one', () => {
    const live = [1, 2, 3].flatMap((usedAt) => [session('jane', usedAt), session('rita', usedAt)])
    expect(surplusSessions(live, 'rita', { ...limits, perHolder: 9 })).toEqual(['rita1'])
    expect(surplusSessions(live, 'paul', limits)).toEqual(['jane1'])
  })

  it('keeps both limits, and never costs others anything while the holder has more than one', () => {
    const held = fc.record({ holder: fc.constantFrom('jane', 'rita', 'paul'), usedAt: fc.nat(50) })
    fc.assert(
      fc.property(fc.array(held, { maxLength: 12 }), fc.constantFrom('jane', 'rita'), (all, holder) => {
        const live = all.map((one, index) => ({ ...one, key: `${index}` }))
        const ended = new Set(surplusSessions(live, holder, limits))
        const left = live.filter(({ key }) => !ended.has(key))
        const own = left.filter((one) => one.holder === holder)
        expect(own.length + 1).toBeLessThanOrEqual(limits.perHolder)
        expect(left.length + 1).toBeLessThanOrEqual(limits.total)
        const cost = live.filter((one) => ended.has(one.key) && one.holder !== holder)
        expect(own.length === 0 || cost.length === 0).toBe(true)
      }),
    )
  })
})
