import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const ID_BYTES = 8
const SECRET_BYTES = 32
const TOKEN_PATTERN = /^trb_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/

/** A token taken apart. `secretHash` is what the store keeps; the secret itself is kept nowhere. */
export interface TokenParts {
  readonly tokenId: string
  readonly secretHash: string
}

/** Makes a token `trb_<id>_<secret>` of 32 random bytes (docs/adr/0008). */
export function newToken(): TokenParts & { readonly token: string } {
  const tokenId = randomBytes(ID_BYTES).toString('hex')
  const secret = randomBytes(SECRET_BYTES).toString('base64url')
  return { token: `trb_${tokenId}_${secret}`, tokenId, secretHash: hashSecret(secret) }
}

/** Takes a token apart; undefined when it does not have the form of one. */
export function parseToken(token: string): TokenParts | undefined {
  const [, tokenId, secret] = TOKEN_PATTERN.exec(token) ?? []
  if (tokenId === undefined || secret === undefined) return undefined
  return { tokenId, secretHash: hashSecret(secret) }
}

/** Compares two SHA-256 hashes in hex without telling by its duration where they differ. */
export function sameHash(left: string, right: string): boolean {
  const [first, second] = [Buffer.from(left, 'hex'), Buffer.from(right, 'hex')]
  return first.length === second.length && timingSafeEqual(first, second)
}

// A plain hash is enough: the secret has 256 random bits, so there is no dictionary to slow down.
function hashSecret(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex')
}
