import { createHash } from 'node:crypto'
import type { StoreRevision } from '@tributary/store'
import { BOOKMARK_KEY, HISTORY_PREFIX, REPLICA_PREFIX, REPLICA_SECRET_KEY } from '../domain/keys.js'

/** A key as it is carried from store to store. */
export interface PortableEntry {
  readonly key: string
  readonly value: string
  /** In the store that it comes from: the order of history. */
  readonly createRevision: StoreRevision
}

/** What an export holds, counted and hashed. */
export interface TransferSummary {
  readonly keys: number
  /** Keys of leases, which another store cannot keep: instances register again. */
  readonly leasedKeysLeftOut: number
  readonly contentHash: string
}

export const HISTORY_FLOOR_PREFIX = 'cc/history-floor/'

/** Whether a key belongs to the replicas that run on a store: another installation has its own, and must not share the secret. */
export function isRunningState(key: string): boolean {
  return key === REPLICA_SECRET_KEY || key === BOOKMARK_KEY || key.startsWith(REPLICA_PREFIX)
}

/** The tenant of a history record's key; undefined for every other key. */
export function historyTenantOf(key: string): string | undefined {
  return key.startsWith(HISTORY_PREFIX) ? key.slice(HISTORY_PREFIX.length).split('/')[0] : undefined
}

/**
 * Hash of entries in the order of their keys. Revisions are each store's own, so it takes a history record's place among its tenant's
 * instead of the number in its key, and of a floor only that it is there.
 */
export class ContentHash {
  readonly #hash = createHash('sha256')
  #tenant: string | undefined
  #place = 0
  keys = 0

  add({ key, value }: Pick<PortableEntry, 'key' | 'value'>): void {
    this.keys += 1
    const tenant = historyTenantOf(key)
    this.#place = tenant === this.#tenant ? this.#place + 1 : 0
    this.#tenant = tenant
    const name = tenant === undefined ? key : `${HISTORY_PREFIX}${tenant}/#${this.#place}`
    this.#hash.update(JSON.stringify([name, key.startsWith(HISTORY_FLOOR_PREFIX) ? '' : value]))
  }

  digest(): string {
    return this.#hash.digest('hex')
  }
}
