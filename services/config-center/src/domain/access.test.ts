import { TOKEN_ROLES } from '@tributary/contract'
import { describe, expect, it } from 'vitest'
import { actorOf, may, type Action, type Principal } from './access.js'

const ROWS: readonly (readonly [Action, string])[] = [
  ['read', 'admin deployer viewer'],
  ['read-view', 'admin deployer viewer tenant'],
  ['write', 'admin deployer'],
  ['register-instance', 'admin deployer tenant'],
  ['manage-tenant-tokens', 'admin deployer'],
  ['manage-tokens', 'admin'],
  ['act-on-behalf-of', 'admin deployer'],
  ['back-up', 'admin'],
]

function principal(role: Principal['role']): Principal {
  return { tokenId: 't', name: 'ci', role, ...(role === 'tenant' ? { tenant: 'feature-x' } : {}) }
}

describe('may', () => {
  it.each(ROWS)('allows %s on a tenant to %s only', (action, allowed) => {
    const roles = TOKEN_ROLES.filter((role) => may(principal(role), action, 'feature-x'))
    expect(roles.join(' ')).toBe(allowed)
  })

  it.each(ROWS)('never allows %s to a tenant token on another tenant, or on none', (action) => {
    expect(may(principal('tenant'), action, 'feature-y')).toBe(false)
    expect(may(principal('tenant'), action)).toBe(false)
  })

  it('allows nothing to a tenant token without a tenant', () => {
    const nobody: Principal = { tokenId: '', name: 'nobody', role: 'tenant' }
    expect(ROWS.some(([action]) => may(nobody, action) || may(nobody, action, 'feature-x'))).toBe(false)
  })
})

describe('actorOf', () => {
  it('names the token and its role', () => {
    expect(actorOf(principal('deployer'))).toBe('ci (deployer)')
  })
})
