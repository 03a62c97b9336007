import { describe, expect, it } from 'vitest'
import { basesBelow } from './bases-below.js'

const recordsOf = (bases: Readonly<Record<string, string | null>>) =>
  new Map(Object.entries(bases).map(([name, base]) => [name, { base }]))

describe('basesBelow', () => {
  it('names what an environment lies over, nearest first', () => {
    const records = recordsOf({ integration: null, x: 'integration', deep: 'x', other: 'integration' })
    expect(basesBelow('deep', records)).toEqual(['x', 'integration'])
    expect(basesBelow('integration', records)).toEqual([])
    expect(basesBelow('never-was', records)).toEqual([])
  })

  it('names a base that has no record, and goes no further', () => {
    expect(basesBelow('x', recordsOf({ x: 'gone' }))).toEqual(['gone'])
  })

  it('ends in a circle, which records may form while branches change their bases', () => {
    const records = recordsOf({ x: 'y', y: 'z', z: 'y' })
    expect(basesBelow('x', records)).toEqual(['y', 'z'])
    expect(basesBelow('y', records)).toEqual(['z'])
  })
})
