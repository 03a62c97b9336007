import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isOwnedBy, ownerOfCommits, parseOwner } from './owner.js'

const ann = { name: 'Ann Lee', email: 'ann@example.org', committedAt: 2 }
const bob = { name: 'Bob', email: 'bob@example.org', committedAt: 1 }

describe('the owner of an environment', () => {
  it('is who wrote the newest head commit, in whatever order the repositories come', () => {
    const owner = { name: 'Ann Lee', email: 'ann@example.org' }
    expect(ownerOfCommits([ann, bob])).toEqual(owner)
    expect(ownerOfCommits([bob, ann])).toEqual(owner)
  })

  it('is called by the address when the commit has no name, and is nobody when it has neither', () => {
    expect(ownerOfCommits([{ ...ann, name: ' ' }])).toEqual({ name: 'ann@example.org', email: 'ann@example.org' })
    expect(ownerOfCommits([{ ...ann, email: '' }])).toEqual({ name: 'Ann Lee', email: null })
    expect(ownerOfCommits([{ ...ann, name: '\u202e', email: '' }, bob])).toEqual({
      name: 'Bob',
      email: 'bob@example.org',
    })
    expect(ownerOfCommits([])).toBeUndefined()
  })

  it('holds nothing that cannot be seen and never grows beyond its bound, whatever a commit says', () => {
    const text = fc.string({ unit: 'binary', maxLength: 400 })
    fc.assert(
      fc.property(text, text, (name, email) => {
        const owner = ownerOfCommits([{ name, email, committedAt: 0 }])
        for (const shown of [owner?.name ?? '', owner?.email ?? '']) {
          expect(shown).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
          expect(Array.from(shown).length).toBeLessThanOrEqual(120)
        }
      }),
    )
  })
})

describe('a written owner', () => {
  it('is a name, an address, or both', () => {
    expect(parseOwner('Ann Lee')).toEqual({ name: 'Ann Lee', email: null })
    expect(parseOwner('ann@example.org')).toEqual({ name: 'ann@example.org', email: 'ann@example.org' })
    expect(parseOwner(' Ann Lee <ann@example.org> ')).toEqual({ name: 'Ann Lee', email: 'ann@example.org' })
    expect(parseOwner(' \u0007 ')).toBeUndefined()
  })
})

describe('looking for an owner', () => {
  it('finds by name, address and what stands before the @, in any case', () => {
    const owner = { name: 'Ann Lee', email: 'ann@example.org' }
    for (const wanted of ['ann lee', 'ANN@example.org', 'Ann']) expect(isOwnedBy(owner, wanted)).toBe(true)
    for (const wanted of ['an', 'lee', '', 'example.org']) expect(isOwnedBy(owner, wanted)).toBe(false)
    expect(isOwnedBy(null, 'ann')).toBe(false)
    expect(isOwnedBy({ name: 'Ann', email: null }, '')).toBe(false)
  })
})
