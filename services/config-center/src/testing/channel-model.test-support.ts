import { canonicalJson, type DeltaFrame, type SnapshotFrame } from '@tributary/contract'
import { hashItems } from '@tributary/contract/hash'

/** What a client of one channel had after one frame. */
export interface ModelState {
  readonly via: 'snapshot' | 'resumed' | 'delta' | 'cursor'
  /** Of a delta: the revision that it builds on. */
  readonly from?: bigint
  readonly revision: bigint
  readonly hash: string
}

/**
 * A client of one channel, written after the contract alone (stream.ts). It notes every broken promise and every state it was in.
 */
export class ChannelModel {
  readonly items = new Map<string, unknown>()
  readonly states: ModelState[] = []
  readonly violations: string[] = []
  /** Everything up to here has been seen; undefined before the first frame. */
  revision: bigint | undefined

  #resumedAt = -1n

  get hash(): string {
    return hashItems(this.items)
  }

  /** Items as comparable text. */
  get text(): string {
    return itemsText(this.items)
  }

  /** A new connection begins; its server may tell again what came before a cut (at least once). */
  reconnecting(): void {
    this.#resumedAt = this.revision ?? -1n
  }

  snapshot(frame: SnapshotFrame): void {
    this.items.clear()
    for (const { key, value } of frame.items) this.items.set(key, value)
    if (this.items.size !== frame.items.length) this.violations.push(`snapshot ${frame.storeRevision} repeats a key`)
    this.#arrive('snapshot', BigInt(frame.storeRevision), frame.hash)
  }

  delta(frame: DeltaFrame): void {
    const [from, to] = [BigInt(frame.from), BigInt(frame.to)]
    if (to <= this.#resumedAt && to <= (this.revision ?? -1n)) return
    if (this.revision === undefined) this.violations.push(`delta ${to} before a snapshot`)
    else if (from > this.revision) this.violations.push(`gap: at ${this.revision}, delta ${from}..${to}`)
    else if (to <= this.revision)
      this.violations.push(`again or out of order: at ${this.revision}, delta ${from}..${to}`)
    for (const { key, value } of frame.changes) {
      if (value === null) this.items.delete(key)
      else this.items.set(key, value)
    }
    this.#arrive('delta', to, frame.hash, from)
  }

  /** `resumed` and `heartbeat` say that nothing is missing up to a revision. */
  upTo(revision: bigint, hash?: string): void {
    if (revision < this.#resumedAt && this.revision === this.#resumedAt) return
    if (this.revision !== undefined && revision < this.revision) {
      this.violations.push(`back from ${this.revision} to ${revision}`)
    }
    this.#arrive(hash === undefined ? 'cursor' : 'resumed', revision, hash ?? this.hash)
  }

  #arrive(via: ModelState['via'], revision: bigint, hash: string, from?: bigint): void {
    this.revision = revision
    if (hash !== this.hash) this.violations.push(`at ${revision} the hash is ${this.hash}, the server says ${hash}`)
    this.states.push({ via, ...(from === undefined ? {} : { from }), revision, hash: this.hash })
  }
}

/** Items as text that is equal exactly when they are, in canonical form. */
export function itemsText(items: ReadonlyMap<string, unknown>): string {
  return canonicalJson(Object.fromEntries(items))
}
