import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareUtf8, isUtf8Encodable } from './utf8.js'

const edges = fc.constantFrom(
  'a',
  'b',
  '\0',
  '\u007f',
  '\u0080',
  '\u07ff',
  '\u0800',
  '\ud7ff',
  '\ue000',
  '\uffff',
  '\u{10000}',
  '\u{10ffff}',
)
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: edges, maxLength: 6 }))

describe('compareUtf8', () => {
  it('orders as the UTF-8 bytes do', () => {
    fc.assert(
      fc.property(text, text, (left, right) => {
        expect(Math.sign(compareUtf8(left, right))).toBe(Buffer.compare(Buffer.from(left), Buffer.from(right)))
      }),
      { numRuns: 2_000 },
    )
  })

  it('puts characters beyond U+FFFF last, where the order of strings does not', () => {
    expect(compareUtf8('\u{10000}', '\uffff')).toBeGreaterThan(0)
    expect(['\uffff', '\u{10000}'].toSorted()).toEqual(['\u{10000}', '\uffff'])
  })
})

describe('isUtf8Encodable', () => {
  it('refuses exactly the texts that change on their way through UTF-8', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0xd700, max: 0xe0ff })), (units) => {
        const text = String.fromCharCode(...units)
        expect(isUtf8Encodable(text)).toBe(Buffer.from(text).toString() === text)
      }),
    )
  })
})
