import { PERMISSIONS, PERSON_ROLES } from '@tributary/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPermitted, neededRole, permissionsOf, roleOfToken, strongestRole } from './permissions.js'

const permission = fc.constantFrom(...PERMISSIONS)
const subject = fc.constantFrom('feature', 'shared')

describe('permissions', () => {
  it('grow with the role, and are never larger on what everybody shares', () => {
    fc.assert(
      fc.property(permission, subject, (what, on) => {
        const held = PERSON_ROLES.map((role) => isPermitted(role, what, on))
        expect(held).toEqual([...held].sort((a, b) => Number(a) - Number(b)))
        for (const role of PERSON_ROLES) {
          if (isPermitted(role, what, 'shared')) expect(isPermitted(role, what, 'feature')).toBe(true)
        }
      }),
    )
  })

  it('name the weakest role that has them', () => {
    fc.assert(
      fc.property(permission, subject, (what, on) => {
        const needed = neededRole(what, on)
        const weaker = PERSON_ROLES.slice(0, PERSON_ROLES.indexOf(needed))
        expect([isPermitted(needed, what, on), ...weaker.map((role) => isPermitted(role, what, on))]).toEqual([
          true,
          ...weaker.map(() => false),
        ])
      }),
    )
  })

  it('let a developer change feature environments and their config, and nothing shared', () => {
    const mine = permissionsOf('developer').map(({ permission, extent }) => `${permission}: ${extent}`)
    expect(mine).toEqual([
      'read: everything',
      'change-environment: features',
      'delete-environment: features',
      'change-config: features',
      'send-hints: everything',
      'report-requests: everything',
      'approve-removals: nothing',
      'manage-tokens: nothing',
    ])
  })

  it('give a service’s own token nothing', () => {
    expect(['admin', 'deployer', 'viewer', 'tenant'].map((role) => roleOfToken(role as 'tenant'))).toEqual([
      'admin',
      'release-manager',
      'viewer',
      undefined,
    ])
  })

  it('count the strongest of several roles', () => {
    expect(strongestRole(['viewer', 'release-manager', 'developer'])).toBe('release-manager')
    expect(strongestRole([])).toBeUndefined()
  })
})
