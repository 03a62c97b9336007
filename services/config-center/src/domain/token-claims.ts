import { isObject } from './merge-patch.js'

/** What a JSON Web Token says of itself, unproven. Instants in epoch milliseconds. */
export interface TokenClaims {
  readonly issuedAt: number
  readonly expiresAt: number
  readonly audiences: readonly string[]
}

const JWT = /^[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+$/
/** A projected token has about 1,000 characters. */
const MAX_JWT_CHARS = 8_192
const SECOND_MS = 1_000

/**
 * Reads the claims of a JSON Web Token (RFC 7519) without verifying anything; undefined when it is none, or has no times. They tell when to stop
 * trusting what somebody else has verified, and spare the asking where the answer is clear.
 */
export function readClaims(token: string): TokenClaims | undefined {
  const [, payload] = token.length > MAX_JWT_CHARS ? [] : (JWT.exec(token) ?? [])
  const claims = payload === undefined ? undefined : parse(Buffer.from(payload, 'base64url').toString('utf8'))
  if (!isObject(claims) || typeof claims.exp !== 'number' || typeof claims.iat !== 'number') return undefined
  const { aud } = claims
  const audiences = (Array.isArray(aud) ? aud : [aud]).filter((each): each is string => typeof each === 'string')
  return { issuedAt: claims.iat * SECOND_MS, expiresAt: claims.exp * SECOND_MS, audiences }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
