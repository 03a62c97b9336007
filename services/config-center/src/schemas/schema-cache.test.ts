import { describe, expect, it } from 'vitest'
import { SchemaCache } from './schema-cache.js'
import { TimeBudget } from './time-budget.js'

const limits = { compileMs: 10_000, maxCompiled: 2 }
const spent = (): TimeBudget => new TimeBudget(0)

describe('SchemaCache', () => {
  it('knows a schema that was compiled once, also an equal one, and when there is no time left', () => {
    const cache = new SchemaCache(limits)
    const known = cache.find({ type: 'object', minProperties: 1 }, new TimeBudget(10_000))
    expect(cache.find({ minProperties: 1, type: 'object' }, spent())).toBe(known)
    expect(cache.find({ type: 'object' }, spent())).toBeUndefined()
  })

  it('remembers that a schema is not usable, and why', () => {
    const cache = new SchemaCache(limits)
    cache.find({ type: 'strin' }, new TimeBudget(10_000))
    expect(cache.find({ type: 'strin' }, spent())?.compiled).toContain('schema is invalid')
  })

  it('does not remember a schema as too slow that was stopped for want of its whole time', () => {
    const cache = new SchemaCache(limits)
    const properties = Object.fromEntries(Array.from({ length: 1_500 }, (_, index) => [`p${index}`, { minimum: 1 }]))
    expect(cache.find({ properties }, new TimeBudget(2))).toBeUndefined()
    expect(typeof cache.find({ properties }, new TimeBudget(60_000))?.compiled).toBe('function')
  })

  it('forgets the schemas that were not used for longest', () => {
    const cache = new SchemaCache(limits)
    for (const minProperties of [1, 2, 1, 3]) cache.find({ minProperties }, new TimeBudget(10_000))
    const kept = [1, 2, 3].filter((minProperties) => cache.find({ minProperties }, spent()) !== undefined)
    expect(kept).toEqual([1, 3])
  })
})
