import type { KeySelector, StoreEntry, StoreEvent } from '../revisioned-store.js'
import { compareUtf8 } from '../utf8.js'
import { createOrderedMap } from './ordered-map.js'

/** The keys of the newest committed revision, in memory and ordered by UTF-8 bytes, and which lease holds which of them. */
export class CurrentKeys {
  readonly #entries = createOrderedMap<string, StoreEntry>(compareUtf8)
  readonly #keysOfLease = new Map<string, Set<string>>()

  get(key: string): StoreEntry | undefined {
    return this.#entries.get(key)
  }

  /** The selected entries in key order, those after `afterKey` only when it is given. Stop iterating before the next change. */
  *select(select: KeySelector, afterKey?: string): Generator<StoreEntry, void> {
    if ('key' in select) {
      const entry = this.#entries.get(select.key)
      if (entry !== undefined && (afterKey === undefined || compareUtf8(select.key, afterKey) > 0)) yield entry
      return
    }
    const start = afterKey !== undefined && compareUtf8(afterKey, select.prefix) > 0 ? afterKey : select.prefix
    for (const entry of this.#entries.values(start)) {
      if (entry.key === afterKey) continue
      if (!entry.key.startsWith(select.prefix)) return
      yield entry
    }
  }

  /** The keys that end with the lease. */
  keysOfLease(leaseId: string): ReadonlySet<string> {
    return this.#keysOfLease.get(leaseId) ?? new Set()
  }

  /** Fills an empty index. */
  load(entries: Iterable<StoreEntry>): void {
    for (const entry of entries) this.#put(entry)
  }

  /** Applies what one revision changed. */
  apply(events: readonly StoreEvent[]): void {
    for (const event of events) {
      if (event.previous?.leaseId !== undefined) this.#detach(event.previous.leaseId, event.previous.key)
      if (event.kind === 'put') this.#put(event.entry)
      else this.#entries.delete(event.key)
    }
  }

  #put(entry: StoreEntry): void {
    this.#entries.set(entry.key, entry)
    if (entry.leaseId === undefined) return
    const keys = this.#keysOfLease.get(entry.leaseId)
    if (keys === undefined) this.#keysOfLease.set(entry.leaseId, new Set([entry.key]))
    else keys.add(entry.key)
  }

  #detach(leaseId: string, key: string): void {
    const keys = this.#keysOfLease.get(leaseId)
    keys?.delete(key)
    if (keys?.size === 0) this.#keysOfLease.delete(leaseId)
  }
}
