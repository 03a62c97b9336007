import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  documentKey,
  entryPrefix,
  headKey,
  historyKey,
  historyPrefix,
  parseKey,
  registrationKey,
  tenantKey,
  tokenKey,
} from './keys.js'

describe('keys', () => {
  it('read back what they were made of', () => {
    expect(parseKey(tenantKey('a'))).toEqual({ kind: 'tenant', tenant: 'a' })
    expect(parseKey(headKey('a'))).toEqual({ kind: 'head', tenant: 'a' })
    expect(parseKey(documentKey('a', '*'))).toEqual({ kind: 'document', tenant: 'a', service: '*' })
    expect(parseKey(registrationKey('a', 'b', 'c'))).toEqual({
      kind: 'registration',
      tenant: 'a',
      service: 'b',
      instance: 'c',
    })
  })

  it.each([historyKey('a', 5n), tokenKey('x'), 'em/tenant/a', 'cc/tenant', 'cc/entry/a/b', 'cc/document/a'])(
    'leave %s to others',
    (key) => {
      expect(parseKey(key)).toBeUndefined()
    },
  )

  it('of one tenant never start with the prefix of another whose name is its beginning', () => {
    expect(registrationKey('feature-x2', 'a', 'i').startsWith(entryPrefix('feature-x'))).toBe(false)
    expect(historyKey('feature-x2', 1n).startsWith(historyPrefix('feature-x'))).toBe(false)
  })

  it('of history sort newest first', () => {
    const revision = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })
    fc.assert(
      fc.property(revision, revision, (left, right) => {
        expect(historyKey('a', left) < historyKey('a', right)).toBe(left > right)
      }),
    )
  })
})
