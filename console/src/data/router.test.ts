import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { linkTo, placeOf } from './router.js'

describe('addresses within the page', () => {
  it('lead back to what they were made of, whatever characters a name has', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1 })
    fc.assert(
      fc.property(
        fc.array(name, { maxLength: 4 }),
        fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), name),
        (segments, query) => {
          const place = placeOf(linkTo(segments, query))
          expect(place.segments).toEqual(segments)
          expect(Object.fromEntries(place.query)).toEqual({ ...query })
        },
      ),
    )
  })

  it('take a broken escape as it is written', () => {
    expect(placeOf('#/environments/%zz').segments).toEqual(['environments', '%zz'])
    expect(placeOf('').segments).toEqual([])
  })
})
