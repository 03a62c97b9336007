import { describe, expect, it } from 'vitest'
import { checkDocument, checkEntry, isDeeperThan, MAX_DOCUMENT_BYTES, MAX_DOCUMENT_DEPTH } from './limits.js'

const at = { tenant: 'feature-x', service: 'orders' }

function nested(levels: number): unknown {
  return JSON.parse('{"a":'.repeat(levels) + '1' + '}'.repeat(levels))
}

describe('checkDocument', () => {
  it('takes a document of exactly the deepest nesting, and refuses one more', () => {
    expect(() => checkDocument(nested(MAX_DOCUMENT_DEPTH), at)).not.toThrow()
    expect(() => checkDocument(nested(MAX_DOCUMENT_DEPTH + 1), at)).toThrow(/nested deeper than 64/)
  })

  it('takes a document of exactly the largest size, and refuses one byte more', () => {
    const overhead = JSON.stringify({ a: '' }).length
    expect(() => checkDocument({ a: 'x'.repeat(MAX_DOCUMENT_BYTES - overhead) }, at)).not.toThrow()
    expect(() => checkDocument({ a: 'x'.repeat(MAX_DOCUMENT_BYTES - overhead + 1) }, at)).toThrow(/262145 bytes/)
  })

  it('counts bytes, not characters', () => {
    expect(() => checkDocument({ a: 'é'.repeat(MAX_DOCUMENT_BYTES / 2) }, at)).toThrow(/bytes/)
  })
})

describe('isDeeperThan', () => {
  it('finishes on nesting that would exhaust the stack', () => {
    let deep: unknown = 1
    for (let level = 0; level < 200_000; level += 1) deep = [deep]
    expect(isDeeperThan(deep, MAX_DOCUMENT_DEPTH)).toBe(true)
  })

  it('counts arrays and objects alike, and scalars not at all', () => {
    expect(isDeeperThan(5, 0)).toBe(false)
    expect(isDeeperThan([{ a: 1 }], 2)).toBe(false)
    expect(isDeeperThan([{ a: [] }], 2)).toBe(true)
  })
})

describe('checkEntry', () => {
  it('refuses an entry whose metadata make it too large', () => {
    const metadata = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`k${index}`, 'x'.repeat(256)]))
    expect(() => checkEntry({ endpoints: [], metadata }, at)).toThrow(/ENTRY|more than 32768/)
    expect(() => checkEntry({ endpoints: [] }, at)).not.toThrow()
  })
})
