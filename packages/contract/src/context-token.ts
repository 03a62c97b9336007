import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { TENANT_NAME_PATTERN } from './name-patterns.js'

/** Every process of one tree of tenants holds the same keys: the first signs, all verify. */
export interface ContextKeys {
  readonly newest: ContextKey
  readonly byId: ReadonlyMap<string, ContextKey>
}

interface ContextKey {
  readonly id: string
  readonly bytes: Buffer
}

/**
 * What a token is for: one that was made for one purpose is refused for the other. `capsule` rests with stored work (an outbox row, a
 * timer), `callback` travels in a URL through third parties, `probe` lets a synthetic request be answered by the SDK instead of the program.
 */
export type ContextTokenPurpose = 'capsule' | 'callback' | 'probe'

/** What a token says. Instants are epoch seconds. */
export interface ContextClaims {
  /** The tenant that the work belongs to; null: none, so it is the baseline's. */
  readonly tenant: string | null
  readonly issuedAt: number
  readonly expiresAt: number
  /** True when a copy of a feature environment was to answer: the baseline's is no substitute for it. */
  readonly avoidsBaseline: boolean
}

/** Where a token is valid. */
export interface ContextTokenScope {
  readonly purpose: ContextTokenPurpose
  /** What the token is bound to beside its claims, for example service and path: signed, but not part of the text. */
  readonly boundTo?: readonly string[]
}

/** What {@link verifyContext} found. An expired token is genuine: its claims may be shown. */
export type ContextVerdict =
  | { readonly state: 'valid' | 'expired'; readonly claims: ContextClaims }
  | { readonly state: 'forged'; readonly reason: string }

const KEY_BYTES = 32
const VERSION = 't1'
/** A token of the longest tenant name has about 180 characters. */
const MAX_TOKEN_CHARS = 512
/** Clocks of machines differ: a token is taken this long after its end. */
export const CONTEXT_CLOCK_SKEW_SECONDS = 60

const tenantName = new RegExp(TENANT_NAME_PATTERN)

type Payload = readonly [tenant: string | null, issuedAt: number, expiresAt: number, avoidsBaseline: boolean]

/** A new key as it stands in `TRIBUTARY_CONTEXT_KEY`: 32 random bytes, base64url. */
export function createContextKey(): string {
  return randomBytes(KEY_BYTES).toString('base64url')
}

/**
 * Reads `TRIBUTARY_CONTEXT_KEY`: one or more keys with commas between, newest first. To rotate, put a new key in front, and take the
 * old one away when everything that it signed has expired. Undefined when a key is not 32 bytes of base64url.
 */
export function parseContextKeys(text: string): ContextKeys | undefined {
  const keys = text.split(',').map((part) => readKey(part.trim()))
  const [newest] = keys
  if (newest === undefined || keys.includes(undefined)) return undefined
  const known = keys.flatMap((key) => (key === undefined ? [] : [[key.id, key] as const]))
  return { newest, byId: new Map(known) }
}

/** Signs the claims with the newest key: `t1.<key id>.<claims>.<HMAC-SHA-256>`, safe in a URL's path and in any text column. */
export function signContext(keys: ContextKeys, claims: ContextClaims, scope: ContextTokenScope): string {
  const payload: Payload = [claims.tenant, claims.issuedAt, claims.expiresAt, claims.avoidsBaseline]
  const text = `${VERSION}.${keys.newest.id}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`
  return `${text}.${macOf(keys.newest, text, scope)}`
}

/**
 * Reads a token. Whatever is not exactly what one of the keys signed for this scope is `forged`; nothing of it is believed or repeated.
 * @param nowMs wall clock, epoch milliseconds; {@link CONTEXT_CLOCK_SKEW_SECONDS} are forgiven
 */
export function verifyContext(
  keys: ContextKeys,
  token: string,
  scope: ContextTokenScope & { readonly nowMs: number },
): ContextVerdict {
  const parts = token.length > MAX_TOKEN_CHARS ? [] : token.split('.')
  const [version, keyId, payload, mac] = parts
  if (parts.length !== 4 || version !== VERSION || !keyId || !payload || !mac) {
    return { state: 'forged', reason: 'it does not have the form of a token' }
  }
  const key = keys.byId.get(keyId)
  if (key === undefined) return { state: 'forged', reason: 'its key is not known here: foreign, or rotated away' }
  // The text is compared, not its bytes: base64url has several spellings of the same bytes.
  if (!sameText(mac, macOf(key, `${version}.${keyId}.${payload}`, scope))) {
    return { state: 'forged', reason: 'its signature does not fit: it was changed, or made for something else' }
  }
  const claims = readClaims(payload)
  if (claims === undefined) return { state: 'forged', reason: 'its claims cannot be read by this version' }
  const isOver = scope.nowMs / 1000 > claims.expiresAt + CONTEXT_CLOCK_SKEW_SECONDS
  return { state: isOver ? 'expired' : 'valid', claims }
}

function readKey(text: string): ContextKey | undefined {
  if (!/^[A-Za-z0-9_-]{43}$/.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64url')
  // Of a key of 256 random bits, a hash gives nothing away.
  const id = createHash('sha256').update('tributary context key id\0').update(bytes).digest('base64url').slice(0, 6)
  return { id, bytes }
}

function macOf(key: ContextKey, text: string, { purpose, boundTo = [] }: ContextTokenScope): string {
  const mac = createHmac('sha256', key.bytes)
  // JSON keeps the parts apart, whatever characters they have.
  return mac.update(JSON.stringify(['tributary', purpose, text, ...boundTo])).digest('base64url')
}

function sameText(left: string, right: string): boolean {
  const [one, other] = [Buffer.from(left), Buffer.from(right)]
  return one.length === other.length && timingSafeEqual(one, other)
}

function isPayload(value: unknown): value is Payload {
  if (!Array.isArray(value) || value.length !== 4) return false
  const [tenant, issuedAt, expiresAt, avoidsBaseline] = value as readonly unknown[]
  const isTenant = tenant === null || (typeof tenant === 'string' && tenantName.test(tenant))
  return isTenant && isSeconds(issuedAt) && isSeconds(expiresAt) && typeof avoidsBaseline === 'boolean'
}

function isSeconds(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0
}

function readClaims(payload: string): ContextClaims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    if (!isPayload(value)) return undefined
    const [tenant, issuedAt, expiresAt, avoidsBaseline] = value
    return { tenant, issuedAt, expiresAt, avoidsBaseline }
  } catch {
    return undefined
  }
}
