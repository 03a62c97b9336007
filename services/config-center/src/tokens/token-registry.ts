import type { TokenRole } from '@tributary/contract'
import type { StoreEvent, StoreRevision, WatchBatch } from '@tributary/store'
import type { Principal } from '../domain/access.js'
import { TOKEN_PREFIX } from '../domain/keys.js'
import { parseToken, sameHash } from './token-text.js'

/** A token as stored under `cc/token/<tokenId>`. `createdAt` and `expiresAt` are epoch milliseconds. */
export interface StoredToken {
  readonly name: string
  readonly role: TokenRole
  readonly tenant?: string
  readonly secretHash: string
  readonly createdAt: number
  readonly expiresAt?: number
}

/** A token in memory. */
export interface TokenRecord extends StoredToken {
  readonly tokenId: string
  readonly revision: StoreRevision
}

/** Told the id of a token that is worth nothing any more: revoked, expired, or its tenant deleted. */
export type RevocationListener = (tokenId: string) => void

/** All tokens in memory. A consumer of the catalog mirror: it moves in the same step as the catalog. */
export class TokenRegistry {
  readonly #tokens = new Map<string, TokenRecord>()
  readonly #announced = new Set<string>()
  readonly #listeners = new Set<RevocationListener>()

  /** Follows the store. Keys that are not tokens are passed over. */
  applyBatch(batch: WatchBatch): void {
    for (const event of batch.events) {
      const key = event.kind === 'put' ? event.entry.key : event.key
      if (key.startsWith(TOKEN_PREFIX)) this.#apply(key.slice(TOKEN_PREFIX.length), event)
    }
  }

  /**
   * Who a bearer token belongs to; undefined when it is malformed, unknown, revoked or expired at `now` (epoch milliseconds).
   * The secret's hash is compared in constant time.
   */
  authenticate(token: string, now: number): Principal | undefined {
    const parts = parseToken(token)
    const record = parts === undefined ? undefined : this.#tokens.get(parts.tokenId)
    if (parts === undefined || record === undefined) return undefined
    if (!sameHash(record.secretHash, parts.secretHash) || isExpired(record, now)) return undefined
    return principalOf(record)
  }

  /** Whether a token of this id is known, whatever its secret. */
  find(tokenId: string): TokenRecord | undefined {
    return this.#tokens.get(tokenId)
  }

  /** All tokens, expired ones too, oldest first. */
  list(): readonly TokenRecord[] {
    return [...this.#tokens.values()].sort((left, right) => (left.revision < right.revision ? -1 : 1))
  }

  /** Ids of the tokens of one tenant. */
  idsOf(tenant: string): readonly string[] {
    return this.list().flatMap((record) => (record.tenant === tenant ? [record.tokenId] : []))
  }

  /** Calls `listener` synchronously for each token that ends from now on, once. Returns how to stop that. */
  onRevoked(listener: RevocationListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Tells the listeners of every token that has expired by `now` (epoch milliseconds), so that its streams can be ended. */
  announceExpired(now: number): void {
    for (const record of this.#tokens.values()) if (isExpired(record, now)) this.#announce(record.tokenId)
  }

  #apply(tokenId: string, event: StoreEvent): void {
    if (event.kind === 'put') {
      const stored = JSON.parse(event.entry.value) as StoredToken
      this.#tokens.set(tokenId, { ...stored, tokenId, revision: event.entry.modRevision })
      return
    }
    if (!this.#tokens.delete(tokenId)) return
    this.#announce(tokenId)
    this.#announced.delete(tokenId)
  }

  #announce(tokenId: string): void {
    if (this.#announced.has(tokenId)) return
    this.#announced.add(tokenId)
    for (const listener of this.#listeners) listener(tokenId)
  }
}

function isExpired(record: TokenRecord, now: number): boolean {
  return record.expiresAt !== undefined && record.expiresAt <= now
}

function principalOf(record: TokenRecord): Principal {
  const { tokenId, name, role, tenant, expiresAt } = record
  return {
    tokenId,
    name,
    role,
    ...(tenant === undefined ? {} : { tenant }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
}
