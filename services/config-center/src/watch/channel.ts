import type { StreamChannel } from '@tributary/contract'
import { emptySum, xorInto } from '@tributary/contract/hash'
import type { StoreRevision } from '@tributary/store'
import { DeltaLog, type DeltaBudget } from './delta-log.js'
import { Frame } from './frame.js'
import type { ItemChange, KeyedItems } from './keyed-items.js'
import { netDelta } from './net-delta.js'

/** Receives a channel's frames, in order, synchronously. */
export interface ChannelListener {
  onFrame(frame: Frame): void
}

/** What a resuming receiver says about itself. */
export interface ChannelCursor {
  /** The last revision that it has applied. */
  readonly after: StoreRevision | undefined
  /** The hash of what it has. */
  readonly hash: string | undefined
}

/** The frames that bring a receiver up to date. `current`: it was so already, and the only frame is `resumed`. */
export interface CatchUp {
  readonly frames: readonly Frame[]
  readonly current: boolean
}

/** What a channel is made of. `revision` is the store revision that `parts` show. */
export interface ChannelOptions {
  readonly parts: readonly KeyedItems[]
  readonly revision: StoreRevision
  readonly budget: DeltaBudget
}

/** A set of keyed items that is followed by any number of listeners: a resolved view or a route table. */
export abstract class Channel {
  abstract readonly kind: StreamChannel
  readonly #parts: readonly KeyedItems[]
  readonly #log: DeltaLog
  readonly #listeners = new Set<ChannelListener>()
  #changedAt: StoreRevision
  #hash: string
  #snapshot: Frame | undefined
  /** What brings a receiver of each revision up to date in one frame, until the next change. */
  readonly #net = new Map<StoreRevision, Frame>()

  constructor(options: ChannelOptions) {
    this.#parts = options.parts
    this.#changedAt = options.revision
    this.#hash = this.#computeHash()
    this.#log = new DeltaLog(options.budget, { revision: options.revision, hash: this.#hash })
  }

  /** Revision of the last change, or of the materialisation when there was none since. */
  get changedAt(): StoreRevision {
    return this.#changedAt
  }

  get hash(): string {
    return this.#hash
  }

  get listenerCount(): number {
    return this.#listeners.size
  }

  addListener(listener: ChannelListener): void {
    this.#listeners.add(listener)
  }

  removeListener(listener: ChannelListener): void {
    this.#listeners.delete(listener)
  }

  /**
   * Tells everyone that the parts have changed at `to`, as one delta. The parts must have been changed before, and by exactly
   * `changes`; no changes: nothing happens.
   */
  publish(changes: readonly ItemChange[], to: StoreRevision): void {
    if (changes.length === 0) return
    const from = this.#changedAt
    this.#changedAt = to
    this.#hash = this.#computeHash()
    this.#snapshot = undefined
    this.#net.clear()
    this.onChanged()
    const list = changes.map(([key, item]) => itemText(key, item?.json ?? 'null')).join(',')
    const data = `{"from":"${from}","to":"${to}","hash":"${this.#hash}","changes":[${list}]}`
    const frame = new Frame(`${this.kind}.delta`, data, to)
    this.#log.append({ to, hash: this.#hash, frame })
    for (const listener of this.#listeners) listener.onFrame(frame)
  }

  /** The whole channel; `storeRevision` is the catalog's current one. Serialised once for all who ask at the same revision. */
  snapshot(storeRevision: StoreRevision): Frame {
    if (this.#snapshot?.revision !== storeRevision) {
      const items = [...this.items()].map(([key, item]) => itemText(key, item.json)).join(',')
      const data = `{"storeRevision":"${storeRevision}","hash":"${this.#hash}","items":[${items}]}`
      this.#snapshot = new Frame(`${this.kind}.snapshot`, data, storeRevision)
    }
    return this.#snapshot
  }

  /** Brings a receiver up to `storeRevision`, the catalog's current one, as cheaply as its cursor allows (docs/adr/0002). */
  catchUp(cursor: ChannelCursor, storeRevision: StoreRevision): CatchUp {
    const { after, hash } = cursor
    // A cursor of the future means that the store has gone back (a restored backup): nothing of it can be relied on.
    const missed = after === undefined || after > storeRevision ? undefined : this.#log.since(after, hash)
    if (missed !== undefined && missed.length > 0) return { frames: missed.map((delta) => delta.frame), current: false }
    if (missed === undefined && hash !== this.#hash) return { frames: [this.snapshot(storeRevision)], current: false }
    const data = { storeRevision: `${storeRevision}`, hash: this.#hash }
    return { frames: [Frame.of(`${this.kind}.resumed`, data, storeRevision)], current: true }
  }

  /**
   * One frame that brings a receiver of everything up to `after` up to date: a delta of what has changed in all, or the whole channel
   * when the history does not reach back. Undefined when nothing has changed. Serialised once for all who have got that far.
   */
  netSince(after: StoreRevision): Frame | undefined {
    if (this.#changedAt <= after) return undefined
    const known = this.#net.get(after)
    if (known !== undefined) return known
    const [first, ...others] = this.#log.since(after, undefined) ?? []
    const frame = first === undefined ? this.snapshot(this.#changedAt) : netDelta([first, ...others])
    this.#net.set(after, frame)
    return frame
  }

  /** Frees the history. The channel must not be used afterwards. */
  dispose(): void {
    this.#log.clear()
    this.#net.clear()
  }

  protected *items(): Generator<[string, { readonly json: string }]> {
    for (const part of this.#parts) yield* part.entries()
  }

  /** Drops whatever a subclass has cached of the content. */
  protected abstract onChanged(): void

  #computeHash(): string {
    const sum = emptySum()
    for (const part of this.#parts) xorInto(sum, part.sum)
    return sum.toString('hex')
  }
}

function itemText(key: string, json: string): string {
  return `{"key":${JSON.stringify(key)},"value":${json}}`
}
