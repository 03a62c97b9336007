import { describe, expect, it } from 'vitest'
import { newToken, parseToken, sameHash } from './token-text.js'

describe('tokens', () => {
  it('have the documented form and are taken apart again', () => {
    const { token, tokenId, secretHash } = newToken()
    expect(token).toMatch(/^trb_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/)
    expect(parseToken(token)).toEqual({ tokenId, secretHash })
    expect(token).not.toContain(secretHash)
  })

  it('are never made twice', () => {
    expect(new Set(Array.from({ length: 100 }, () => newToken().token)).size).toBe(100)
  })

  it.each(['', 'trb_', 'trb_0123456789abcdef_short', `trb_0123456789ABCDEF_${'a'.repeat(43)}`, `x${newToken().token}`])(
    'of another form are not taken: %s',
    (token) => {
      expect(parseToken(token)).toBeUndefined()
    },
  )
})

describe('sameHash', () => {
  it('holds for equal hashes only', () => {
    const [left, right] = [newToken().secretHash, newToken().secretHash]
    expect(sameHash(left, left)).toBe(true)
    expect(sameHash(left, right)).toBe(false)
    expect(sameHash(left, left.slice(2))).toBe(false)
  })
})
