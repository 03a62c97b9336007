import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'

const SECRET_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const SECRET_SHAPE = /^[A-Za-z0-9_-]{43}$/

/** A new session's secret: 256 random bits as base64url. It is the cookie's value and is kept nowhere else. */
export function newSessionSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url')
}

/** False for what cannot be a session's secret, so that nothing is asked for it. */
export function isSessionSecret(text: string): boolean {
  return SECRET_SHAPE.test(text)
}

/** What the store knows of a secret: its SHA-256 in hex. */
export function sessionIdOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** The session's CSRF value. It follows from the secret, which no script can read, and says nothing about it. */
export function csrfOf(secret: string): string {
  return createHmac('sha256', secret).update('tributary csrf').digest('base64url')
}

/** Encrypts under a key that follows from `secret` and `purpose`: who has the store but not the secret cannot read it. */
export function seal(secret: string, purpose: string, text: string): string {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret, purpose), nonce)
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')
}

/** What {@link seal} encrypted; undefined when it was changed, or sealed under another secret or for another purpose. */
export function unseal(secret: string, purpose: string, sealed: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url')
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined
  const decipher = createDecipheriv('aes-256-gcm', keyOf(secret, purpose), bytes.subarray(0, NONCE_BYTES))
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}

function keyOf(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `${purpose} of tributary`, 32))
}
