import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { environmentNameOf, isReservedName, slugOf } from './environment-name.js'

const LABEL = /^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/
const free = (): boolean => false
const awkward = fc.oneof(
  fc.string({ minLength: 1, maxLength: 120 }),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
  fc.stringMatching(/^(feature|kube|tributary)[-/_.][A-Za-z0-9/_.-]{0,60}$/),
  fc.constantFrom(
    'integration',
    'INTEGRATION',
    'default',
    'kube-system',
    'kube/system',
    'production',
    '漢字',
    '---',
    'kube',
  ),
)

describe('environmentNameOf', () => {
  it.each([
    ['feature/addButton', 'feature-addbutton'],
    ['FEATURE//Add__Button!', 'feature-add-button'],
    ['x', 'x'],
    ['--a--', 'a'],
    ['a'.repeat(40), 'a'.repeat(40)],
  ])('turns %s into %s', (branch, name) => {
    expect(environmentNameOf(branch, free)).toBe(name)
  })

  it('cuts a long branch to 33 characters and appends six of its hash', () => {
    const name = environmentNameOf(`feature/${'x'.repeat(60)}`, free)
    expect(name).toMatch(/^feature-x{25}-[a-z2-7]{6}$/)
  })

  it('tells two long branches apart that differ after the cut', () => {
    const long = 'feature/a-very-long-name-that-goes-on-and-on-and-on'
    expect(environmentNameOf(`${long}-1`, free)).not.toBe(environmentNameOf(`${long}-2`, free))
  })

  it.each(['integration', 'Integration', 'default', 'kube-system', 'production', 'tributary', 'tributary/x', 'kube/x'])(
    'never gives the reserved %s out as it is',
    (branch) => {
      expect(environmentNameOf(branch, free)).not.toBe(slugOf(branch))
    },
  )

  it('lengthens the hash while the hashed name is taken too', () => {
    const first = environmentNameOf('kube-a', free)
    const second = environmentNameOf('kube-a', (name) => name === first)
    expect(second).toHaveLength(first.length + 1)
    expect(second.startsWith(first)).toBe(true)
  })

  it('gives up loudly when everything is taken', () => {
    expect(() => environmentNameOf('a', () => true)).toThrow(RangeError)
  })

  it('always gives a valid label that is not reserved, and the same one each time', () => {
    fc.assert(
      fc.property(awkward, (branch) => {
        const name = environmentNameOf(branch, free)
        expect(name).toMatch(LABEL)
        expect(isReservedName(name)).toBe(false)
        expect(environmentNameOf(branch, free)).toBe(name)
      }),
    )
  })

  it('gives distinct branches distinct names when each sees those taken before', () => {
    fc.assert(
      fc.property(fc.uniqueArray(awkward, { maxLength: 30 }), (branches) => {
        const taken = new Set<string>()
        for (const branch of branches) taken.add(environmentNameOf(branch, (name) => taken.has(name)))
        expect(taken.size).toBe(branches.length)
      }),
    )
  })
})
