import { encodeOnBehalfOf, parseOnBehalfOf } from '@tributary/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { personLabel } from './person-label.js'

describe('what a person is called in history', () => {
  it('ends with what the provider tells people apart by, whatever name somebody chooses', () => {
    expect(personLabel({ name: 'Ann Lee', subject: 'auth0|1' })).toBe('Ann Lee (auth0|1)')
    expect(personLabel({ name: 'Ann Lee (auth0|1)', subject: 'auth0|2' })).toBe('Ann Lee (auth0|1) (auth0|2)')
    expect(personLabel({ name: ' ', subject: 'auth0|2' })).toBe('auth0|2')
  })

  it('can always be said to the config center, and differs for different people of the same name', () => {
    const name = fc.string({ unit: 'grapheme', maxLength: 200 }).filter((text) => !/[\p{C}\p{Zl}\p{Zp}]/u.test(text))
    const subject = fc.string({ unit: 'binary', minLength: 1, maxLength: 255 })
    fc.assert(
      fc.property(name, subject, subject, (chosen, one, other) => {
        const label = personLabel({ name: chosen, subject: one })
        expect(parseOnBehalfOf(encodeOnBehalfOf(label))).toBe(label)
        if (one !== other) expect(personLabel({ name: chosen, subject: other })).not.toBe(label)
      }),
    )
  })
})
