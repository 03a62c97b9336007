import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CONTEXT_CLOCK_SKEW_SECONDS,
  createContextKey,
  parseContextKeys,
  signContext,
  verifyContext,
  type ContextClaims,
  type ContextKeys,
  type ContextTokenScope,
} from './context-token.js'

const NOW_MS = 1_800_000_000_000
const claims: ContextClaims = {
  tenant: 'feature-x',
  issuedAt: NOW_MS / 1000,
  expiresAt: NOW_MS / 1000 + 60,
  avoidsBaseline: true,
}
const callback: ContextTokenScope = { purpose: 'callback', boundTo: ['orders', '/paid'] }

function keysOf(...texts: readonly string[]): ContextKeys {
  const keys = parseContextKeys(texts.join(','))
  if (keys === undefined) throw new Error('the keys are wrong')
  return keys
}

const keyText = createContextKey()
const keys = keysOf(keyText)
const read = (token: string, more: Partial<ContextTokenScope & { nowMs: number; keys: ContextKeys }> = {}) =>
  verifyContext(more.keys ?? keys, token, { ...callback, nowMs: NOW_MS, ...more })

describe('a context token', () => {
  it('gives back what was signed, for every tenant and instant', () => {
    const tenant = fc.option(fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/))
    const instants = fc.tuple(fc.nat(), fc.nat(), fc.boolean(), fc.array(fc.string(), { maxLength: 3 }))
    fc.assert(
      fc.property(tenant, instants, (name, [issuedAt, lifetime, avoidsBaseline, boundTo]) => {
        const signed = { tenant: name, issuedAt, expiresAt: issuedAt + lifetime, avoidsBaseline }
        const scope = { purpose: 'capsule', boundTo } as const
        const verdict = verifyContext(keys, signContext(keys, signed, scope), { ...scope, nowMs: issuedAt * 1000 })
        expect(verdict).toEqual({ state: 'valid', claims: signed })
      }),
    )
  })

  it('is refused when any one bit of it is flipped', () => {
    const bytes = Buffer.from(signContext(keys, claims, callback), 'latin1')
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes)
      const at = bit >> 3
      changed[at] = (changed[at] ?? 0) ^ (1 << (bit & 7))
      expect(read(changed.toString('latin1')).state, `bit ${bit}`).toBe('forged')
    }
  })

  it('is refused when characters are put in, taken out or exchanged', () => {
    const token = signContext(keys, claims, callback)
    fc.assert(
      fc.property(fc.nat(token.length), fc.nat(4), fc.string({ maxLength: 4, unit: 'binary' }), (at, cut, put) => {
        const changed = token.slice(0, at) + put + token.slice(at + cut)
        fc.pre(changed !== token)
        expect(read(changed).state).toBe('forged')
      }),
    )
  })

  it('is refused for any text that nobody signed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(read(text).state).toBe('forged')
      }),
    )
    expect(read('a'.repeat(100_000)).state).toBe('forged')
  })

  it('is refused for another purpose, service or path', () => {
    const token = signContext(keys, claims, callback)
    expect(read(token).state).toBe('valid')
    expect(read(token, { purpose: 'capsule' }).state).toBe('forged')
    expect(read(token, { boundTo: ['orders', '/refunded'] }).state).toBe('forged')
    expect(read(token, { boundTo: ['orders/', 'paid'] }).state).toBe('forged')
    expect(read(token, { boundTo: [] }).state).toBe('forged')
  })

  it('is taken until the clock skew after its end has passed, and is then expired with its claims', () => {
    const token = signContext(keys, claims, callback)
    const endMs = (claims.expiresAt + CONTEXT_CLOCK_SKEW_SECONDS) * 1000
    expect(read(token, { nowMs: endMs }).state).toBe('valid')
    expect(read(token, { nowMs: endMs + 1 })).toEqual({ state: 'expired', claims })
  })

  it('is taken from a machine whose clock is ahead', () => {
    const token = signContext(keys, { ...claims, issuedAt: claims.issuedAt + 3600 }, callback)
    expect(read(token).state).toBe('valid')
  })

  it('outlives a rotation as long as its key is kept, and not longer', () => {
    const token = signContext(keys, claims, callback)
    const newer = createContextKey()
    const both = keysOf(newer, keyText)
    expect(read(token, { keys: both }).state).toBe('valid')
    expect(read(token, { keys: keysOf(newer) })).toMatchObject({
      state: 'forged',
      reason: expect.stringContaining('key'),
    })
    expect(read(signContext(both, claims, callback), { keys: keysOf(newer) }).state).toBe('valid')
  })

  it('shows neither the key nor what it is bound to', () => {
    const token = signContext(keys, claims, callback)
    const everything = token.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'))
    expect([token, ...everything].join(' ')).not.toMatch(/orders|paid/)
    expect(token).not.toContain(keyText)
  })

  it('survives a URL and a text column as it is', () => {
    expect(signContext(keys, { ...claims, tenant: null }, callback)).toMatch(/^[A-Za-z0-9._-]{1,200}$/)
  })
})

describe('the keys', () => {
  it.each(['', 'short', `${keyText}=`, `${keyText},`, `,${keyText}`, `${keyText},x`, keyText.slice(1), `${keyText}A`])(
    'are refused when one is not 32 bytes of base64url: %j',
    (text) => {
      expect(parseContextKeys(text)).toBeUndefined()
    },
  )

  it('may have blanks around them', () => {
    expect(parseContextKeys(` ${keyText} , ${createContextKey()} `)?.byId.size).toBe(2)
  })
})
