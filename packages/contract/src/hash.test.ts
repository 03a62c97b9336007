import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emptySum, hashItems, itemDigest, xorInto } from './hash.js'

const items = fc.uniqueArray(fc.tuple(fc.string(), fc.jsonValue()), { selector: ([key]) => key, maxLength: 20 })

describe('hashItems', () => {
  it('is 64 zeros for no items', () => {
    expect(hashItems([])).toBe('0'.repeat(64))
  })

  it('is the SHA-256 of key, line feed and canonical value for one item', () => {
    const expected = createHash('sha256').update('service/orders\n{"a":1,"b":[2]}').digest('hex')
    expect(hashItems([['service/orders', { b: [2], a: 1 }]])).toBe(expected)
  })

  it('does not depend on the order of the items', () => {
    fc.assert(
      fc.property(items, (list) => {
        expect(hashItems(list.toReversed())).toBe(hashItems(list))
      }),
    )
  })

  it('is kept up by taking the old digest out and adding the new one', () => {
    fc.assert(
      fc.property(items, fc.jsonValue(), (list, value) => {
        fc.pre(list.length > 0)
        const sum = emptySum()
        for (const [key, item] of list) xorInto(sum, itemDigest(key, item))
        const [key, before] = list[0] ?? ['', null]
        xorInto(sum, itemDigest(key, before))
        xorInto(sum, itemDigest(key, value))
        expect(sum.toString('hex')).toBe(hashItems([[key, value], ...list.slice(1)]))
      }),
    )
  })
})
