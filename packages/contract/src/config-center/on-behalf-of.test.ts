import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeOnBehalfOf, MAX_ON_BEHALF_OF_LENGTH, parseOnBehalfOf } from './on-behalf-of.js'

describe('parseOnBehalfOf', () => {
  it('reads what encodeOnBehalfOf wrote, in any script', () => {
    for (const name of ['jane', 'jane@example.org', 'Jane Doe', '王小明', 'Zoë 100%']) {
      expect(parseOnBehalfOf(encodeOnBehalfOf(name))).toBe(name)
    }
  })

  it('takes plain ASCII as it is', () => {
    expect(parseOnBehalfOf('jane.doe@example.org')).toBe('jane.doe@example.org')
  })

  it('refuses what a person could not read or would misread', () => {
    for (const name of ['', ' jane', 'jane\n', 'ja\u0000ne', 'ja\u202ene', 'ja\u200bne', 'a\u2028b', 'x'.repeat(129)]) {
      expect(parseOnBehalfOf(encodeOnBehalfOf(name))).toBeUndefined()
    }
    expect(parseOnBehalfOf('%E0%A4')).toBeUndefined()
    expect(parseOnBehalfOf('j\u00e4ne')).toBeUndefined()
  })

  it('gives nothing but bounded, printable names for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const name = parseOnBehalfOf(text)
        expect(name === undefined || (name.length <= MAX_ON_BEHALF_OF_LENGTH && !/[\p{C}\n]/u.test(name))).toBe(true)
      }),
    )
  })
})
