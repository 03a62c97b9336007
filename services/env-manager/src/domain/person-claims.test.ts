import { describe, expect, it } from 'vitest'
import { nameOfClaims, roleOfClaims } from './person-claims.js'

const mapping = {
  claim: 'groups',
  values: { dev: 'developer', ops: 'admin', all: 'viewer' },
  otherwise: null,
} as const

describe('the role of a person', () => {
  it.each([
    [['all', 'dev'], 'developer'],
    ['ops', 'admin'],
    [['unknown'], undefined],
    [[7, null, { ops: 1 }], undefined],
    [undefined, undefined],
    [['constructor', '__proto__'], undefined],
  ])('of the groups %j is %s', (groups, role) => {
    expect(roleOfClaims(mapping, { groups })).toBe(role)
  })

  it('is the one for everybody else when the groups give none', () => {
    expect(roleOfClaims({ ...mapping, otherwise: 'viewer' }, { groups: ['x'] })).toBe('viewer')
    expect(roleOfClaims({ ...mapping, claim: 'toString' }, {})).toBeUndefined()
  })
})

describe('the name of a person', () => {
  it.each([
    [{ sub: '1', name: 'Jane Doe', email: 'jane@example.org' }, 'Jane Doe'],
    [{ sub: '1', name: '  ', preferred_username: 'jane' }, 'jane'],
    [{ sub: '1', email: 'jane@example.org' }, 'jane@example.org'],
    [{ sub: '1' }, '1'],
    [{ sub: '1', name: 'a\r\nb\u202ec' }, 'a  b c'],
    [{ sub: '1', name: 'x'.repeat(500) }, 'x'.repeat(120)],
    [{ sub: '1', name: `${'x'.repeat(119)}😀` }, 'x'.repeat(119)],
    [{ sub: '1', name: `${'x'.repeat(119)} y` }, 'x'.repeat(119)],
  ])('of %j is %s', (claims, name) => {
    expect(nameOfClaims(claims)).toBe(name)
  })
})
