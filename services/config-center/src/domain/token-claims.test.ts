import { describe, expect, it } from 'vitest'
import { readClaims } from './token-claims.js'

function jwt(payload: unknown): string {
  const encoded = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)).toString('base64url')
  return `eyJhbGciOiJub25lIn0.${encoded}.c2ln`
}

describe('readClaims', () => {
  it('reads times in milliseconds, and one audience or several', () => {
    expect(readClaims(jwt({ iat: 1, exp: 2, aud: 'tributary' }))).toEqual({
      issuedAt: 1_000,
      expiresAt: 2_000,
      audiences: ['tributary'],
    })
    expect(readClaims(jwt({ iat: 1, exp: 2, aud: ['a', 7, 'b'] }))?.audiences).toEqual(['a', 'b'])
    expect(readClaims(jwt({ iat: 1, exp: 2 }))?.audiences).toEqual([])
  })

  it.each([
    ['our own tokens', `trb_0123456789abcdef_${'A'.repeat(43)}`],
    ['nothing', ''],
    ['two parts', 'a.b'],
    ['a payload that is not JSON', jwt('{')],
    ['a payload that is a list', jwt([])],
    ['a token that never expires', jwt({ iat: 1 })],
    ['a token of too many characters', jwt({ iat: 1, exp: 2, pad: 'x'.repeat(9_000) })],
  ])('takes %s for no such token', (_, token) => {
    expect(readClaims(token)).toBeUndefined()
  })
})
