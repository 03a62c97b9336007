import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mergeDocuments, same, withValue } from './merge-documents.js'

const value = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    fc.integer({ min: 0, max: 3 }),
    fc.constantFrom('x', true, null),
    fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'a/b', '~'), tie('json'), { maxKeys: 3 }),
  ),
})).json
const document = fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__', 'a/b', '~'), value, { maxKeys: 4 })

describe('merging two changes of one document', () => {
  it('takes the side that alone has changed something', () => {
    fc.assert(
      fc.property(document, document, (base, changed) => {
        expect(mergeDocuments({ base, mine: changed, theirs: base })).toEqual({ merged: changed, clashes: [] })
        const { merged, clashes } = mergeDocuments({ base, mine: base, theirs: changed })
        expect(same(merged, changed)).toBe(true)
        expect(clashes).toEqual([])
      }),
    )
  })

  it('finds no clash where both did the same', () => {
    fc.assert(
      fc.property(document, document, (base, both) => {
        expect(mergeDocuments({ base, mine: both, theirs: both })).toEqual({ merged: both, clashes: [] })
      }),
    )
  })

  it('finds the same clashes whoever asks, and one choice for all of them makes the merge that side’s or the other’s', () => {
    fc.assert(
      fc.property(document, document, document, (base, mine, theirs) => {
        const one = mergeDocuments({ base, mine, theirs })
        const other = mergeDocuments({ base, mine: theirs, theirs: mine })
        expect(one.clashes.map(({ path }) => path).sort()).toEqual(other.clashes.map(({ path }) => path).sort())
        const chosen = one.clashes.reduce<unknown>(
          (merged, clash) => withValue(merged, clash.path, clash.theirs),
          one.merged,
        )
        expect(same(chosen, other.merged)).toBe(true)
      }),
    )
  })

  it('puts changes of different members together and asks about the one that both changed', () => {
    const base = { pageSize: 2, colours: { own: 'red', base: 'blue' }, gone: 1 }
    const mine = { pageSize: 5, colours: { own: 'green', base: 'blue' }, gone: 1 }
    const theirs = { pageSize: 9, colours: { own: 'red', base: 'black' } }
    expect(mergeDocuments({ base, mine, theirs })).toEqual({
      merged: { pageSize: 5, colours: { own: 'green', base: 'black' } },
      clashes: [{ path: '/pageSize', base: 2, mine: 5, theirs: 9 }],
    })
  })

  it('asks when one side removed what the other one changed', () => {
    const { clashes } = mergeDocuments({ base: { a: 1 }, mine: {}, theirs: { a: 2 } })
    expect(clashes).toEqual([{ path: '/a', base: 1, mine: undefined, theirs: 2 }])
    expect(withValue({}, '/a', 2)).toEqual({ a: 2 })
    expect(withValue({ a: 2 }, '/a', undefined)).toEqual({})
  })
})
