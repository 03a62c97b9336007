import type { DeltaFrame, ResumedFrame, SnapshotFrame, StreamChange } from '@tributary/contract'
import { emptySum, itemDigest, xorInto } from '@tributary/contract/hash'
import { deepFreeze } from '../freeze.js'

/** What became of a frame. `changed` holds the keys whose values may differ now; everything else leaves the items as they were. */
export type ChannelOutcome =
  | { readonly kind: 'applied'; readonly changed: readonly string[] }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'gap' | 'hash_mismatch' | 'backwards' }

/** A channel as the disk snapshot keeps it. */
export interface ChannelImage {
  readonly storeRevision: string
  readonly hash: string
  readonly items: readonly (readonly [key: string, value: unknown])[]
}

const UNCHANGED: ChannelOutcome = { kind: 'unchanged' }

/**
 * The keyed items of one channel with their revision and hash (docs/adr/0002). A frame is applied whole, after its hash was
 * found right, or not at all: no reader ever sees half of it.
 */
export class Channel {
  #items = new Map<string, unknown>()
  #sum = emptySum()
  #revision: bigint | undefined
  #inStep = false
  #held = false

  /** Frozen values by key. */
  get items(): ReadonlyMap<string, unknown> {
    return this.#items
  }

  /** The revision up to which nothing is missing; undefined before the first snapshot and after {@link forgetRevision}. */
  get revision(): bigint | undefined {
    return this.#revision
  }

  /** The hash of the items held; undefined when they cannot be resumed from: nothing was received, or a frame did not fit. */
  get hash(): string | undefined {
    return this.#inStep ? this.#sum.toString('hex') : undefined
  }

  /** True once there was content, in step or not. */
  get held(): boolean {
    return this.#held
  }

  /** Replaces everything. `backwards` when the frame is older than what is held. */
  applySnapshot(frame: SnapshotFrame): ChannelOutcome {
    const revision = BigInt(frame.storeRevision)
    if (this.#isOlder(revision)) return { kind: 'backwards' }
    const items = new Map<string, unknown>(frame.items.map(({ key, value }) => [key, deepFreeze(value)]))
    const sum = emptySum()
    for (const [key, value] of items) xorInto(sum, itemDigest(key, value))
    if (sum.toString('hex') !== frame.hash) return this.#lose('hash_mismatch')
    const changed = new Set([...this.#items.keys(), ...items.keys()])
    this.#items = items
    this.#hold(revision, sum)
    return { kind: 'applied', changed: [...changed] }
  }

  /** Applies what changed when `from <= revision < to`; a repetition is dropped; anything else is a gap. */
  applyDelta(frame: DeltaFrame): ChannelOutcome {
    const held = this.#revision
    const to = BigInt(frame.to)
    if (!this.#inStep || held === undefined) return this.#lose('gap')
    if (to <= held) return UNCHANGED
    if (BigInt(frame.from) > held) return this.#lose('gap')
    const changes = new Map(frame.changes.map(({ key, value }) => [key, value]))
    const sum = this.#sumAfter(changes)
    if (sum.toString('hex') !== frame.hash) return this.#lose('hash_mismatch')
    for (const [key, value] of changes) this.#put({ key, value })
    this.#hold(to, sum)
    return { kind: 'applied', changed: [...changes.keys()] }
  }

  /** Confirms that what is held is the state at the frame's revision, when the hash says so too. */
  applyResumed(frame: ResumedFrame): ChannelOutcome {
    const revision = BigInt(frame.storeRevision)
    if (this.#isOlder(revision)) return { kind: 'backwards' }
    if (this.hash !== frame.hash) return this.#lose('hash_mismatch')
    this.#revision = revision
    return UNCHANGED
  }

  /** Everything up to `revision` has been received: moves the revision on. `backwards` when the server is behind. */
  advance(revision: bigint): ChannelOutcome {
    if (this.#isOlder(revision)) return { kind: 'backwards' }
    if (this.#inStep) this.#revision = revision
    return UNCHANGED
  }

  /** After a proven reset of the server's history: the items stay and may be resumed by their hash, the revision means nothing. */
  forgetRevision(): void {
    this.#revision = undefined
  }

  /** What the disk snapshot keeps; undefined when there is nothing that could be resumed. */
  image(): ChannelImage | undefined {
    const hash = this.hash
    if (hash === undefined || this.#revision === undefined) return undefined
    return { storeRevision: String(this.#revision), hash, items: [...this.#items] }
  }

  /** Takes what {@link image} gave, when its hash is right; returns whether it was. */
  restore(image: ChannelImage): boolean {
    const items = image.items.map(([key, value]) => ({ key, value }))
    return this.applySnapshot({ storeRevision: image.storeRevision, hash: image.hash, items }).kind === 'applied'
  }

  #isOlder(revision: bigint): boolean {
    return this.#revision !== undefined && revision < this.#revision
  }

  /** The items stay for readers, but cannot be built upon: the next connection asks for a snapshot. */
  #lose(kind: 'gap' | 'hash_mismatch'): ChannelOutcome {
    this.#inStep = false
    return { kind }
  }

  #hold(revision: bigint, sum: Buffer): void {
    this.#revision = revision
    this.#sum = sum
    this.#inStep = true
    this.#held = true
  }

  #sumAfter(changes: ReadonlyMap<string, unknown>): Buffer {
    const sum = Buffer.from(this.#sum)
    for (const [key, value] of changes) {
      if (this.#items.has(key)) xorInto(sum, itemDigest(key, this.#items.get(key)))
      if (value !== null) xorInto(sum, itemDigest(key, value))
    }
    return sum
  }

  #put({ key, value }: StreamChange): void {
    if (value === null) this.#items.delete(key)
    else this.#items.set(key, deepFreeze(value))
  }
}
