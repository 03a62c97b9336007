import type { AppliedReport, GoodbyeReason, Subscription } from '@tributary/contract'
import type { StoreRevision } from '@tributary/store'
import type { ChannelListener } from './channel.js'
import type { FrameConnection } from './frame-connection.js'
import type { Frame } from './frame.js'
import type { Flushable, Outbox } from './outbox.js'
import type { TableChannel } from './table-channel.js'
import type { ViewChannel } from './view-channel.js'

/** Who follows what. */
export interface SubscriberOptions {
  readonly id: string
  /** A long poll ends with its first answer; it is not listed and nobody waits for it. */
  readonly kind: 'stream' | 'poll'
  readonly tenant: string
  readonly service: string | null
  readonly instance: string
  readonly tokenId: string
  /** Epoch milliseconds. */
  readonly connectedAt: number
  readonly connection: FrameConnection
  readonly outbox: Outbox
  /** Bytes that may wait to be taken when there is more to send; beyond them the subscriber lags. */
  readonly maxUnsentBytes: number
  /** Makes the frame that says why the connection ends. */
  readonly goodbye: (reason: GoodbyeReason) => Frame
  /** Called once, when the subscriber has been told goodbye; its connection closes later. */
  readonly onEnding: (subscriber: Subscriber) => void
}

/** A subscriber that lags is given this long for what waits for it, in heartbeats: two, and one more for each so many bytes. */
const MIN_BEATS = 2
const BYTES_PER_BEAT = 131_072
const NOTHING: readonly Frame[] = []

/**
 * One live connection: its channels, the frames that wait for the next write, and what it has reported.
 *
 * | the subscriber | gets |
 * | --- | --- |
 * | takes what is sent | every delta, as it is made |
 * | lags: more than `maxUnsentBytes` wait for it | nothing, and costs nothing, until it has taken them; then one delta from there to now for each channel |
 * | lags and takes nothing | goodbye, when it has had time for what waits |
 */
export class Subscriber implements ChannelListener, Flushable {
  readonly id: string
  readonly kind: 'stream' | 'poll'
  readonly tenant: string
  readonly service: string | null
  readonly instance: string
  readonly tokenId: string
  view: ViewChannel | undefined
  table: TableChannel | undefined
  /** When its view became another one, with all that is in it. */
  movedAt: StoreRevision = 0n
  readonly #options: SubscriberOptions
  #pending = NOTHING
  /** Bytes that waited at the last heartbeat, and for how many heartbeats they have; undefined: it does not lag. */
  #lag: { unsentBytes: number; beats: number } | undefined
  #ending = false
  #sentRevision: StoreRevision = 0n
  /** As far as there was something to apply: a heartbeat's revision needs no report. */
  #changedRevision: StoreRevision = 0n
  #appliedRevision: StoreRevision = 0n
  #error: string | null = null

  constructor(options: SubscriberOptions) {
    this.#options = options
    this.id = options.id
    this.kind = options.kind
    this.tenant = options.tenant
    this.service = options.service
    this.instance = options.instance
    this.tokenId = options.tokenId
  }

  /** Everything up to this revision has been reported as applied; never goes back. */
  get appliedRevision(): StoreRevision {
    return this.#appliedRevision
  }

  /** The error of the newest report; null when that had none. */
  get error(): string | null {
    return this.#error
  }

  /** Queues the first frames and notes what the subscriber has brought along. */
  start(frames: readonly Frame[], appliedRevision: StoreRevision): void {
    this.#appliedRevision = appliedRevision
    this.replace(frames)
  }

  /** Queues whole channels. */
  replace(frames: readonly Frame[]): void {
    for (const frame of frames) this.onFrame(frame)
  }

  onFrame(frame: Frame): void {
    // What a lagging subscriber misses is in its channels, and is worked out when it can be sent.
    if (this.#ending || this.#lag !== undefined) return
    if (this.#pending.length === 0) {
      this.#pending = frame.alone
      this.#options.outbox.schedule(this)
    } else {
      this.#pending = [...this.#pending, frame]
    }
  }

  flush(): void {
    const frames = this.#pending
    if (frames.length === 0) return
    this.#pending = NOTHING
    const { connection, maxUnsentBytes } = this.#options
    // What is to be sent now does not count: a large change is not the subscriber's fault, only what it leaves lying is.
    if (connection.unsentBytes > maxUnsentBytes) this.#fallBehind()
    else this.#send(frames)
  }

  /** To be called at each heartbeat: cuts a lagging subscriber that has had time for what waits for it. */
  checkProgress(): void {
    const lag = this.#lag
    if (lag === undefined) return
    const { unsentBytes } = this.#options.connection
    lag.beats = unsentBytes < lag.unsentBytes ? 0 : lag.beats + 1
    lag.unsentBytes = unsentBytes
    if (lag.beats >= MIN_BEATS + Math.floor(unsentBytes / BYTES_PER_BEAT)) this.end('slow_consumer')
  }

  /** Says goodbye after what was sent before, and takes nothing any more. */
  end(reason: GoodbyeReason): void {
    if (this.#ending) return
    // What is still queued goes first.
    this.flush()
    this.#ending = true
    this.#pending = NOTHING
    this.#options.connection.send([this.#options.goodbye(reason)])
    this.#options.connection.end()
    this.#options.onEnding(this)
  }

  /** Cuts the connection. */
  destroy(): void {
    this.#ending = true
    this.#pending = NOTHING
    this.#options.connection.destroy()
  }

  #send(frames: readonly Frame[]): void {
    this.#options.connection.send(frames)
    for (const { event, revision = 0n } of frames) {
      if (revision > this.#sentRevision) this.#sentRevision = revision
      if (event !== 'heartbeat' && revision > this.#changedRevision) this.#changedRevision = revision
    }
  }

  #fallBehind(): void {
    const { connection } = this.#options
    this.#lag = { unsentBytes: connection.unsentBytes, beats: 0 }
    connection.onceDrained(() => this.#catchUp())
  }

  /** Everything up to the sent revision was sent, of both channels: frames of one revision are always sent together. */
  #catchUp(): void {
    if (this.#ending) return
    this.#lag = undefined
    const after = this.#sentRevision
    const frames = [this.table?.netSinceOfTenant(this.tenant, after), this.#netViewSince(after)]
    const missed = frames.filter((frame) => frame !== undefined)
    // The one that has got further goes last: its revision is the one that the subscriber comes back with.
    missed.sort((left, right) => ((left.revision ?? 0n) < (right.revision ?? 0n) ? -1 : 1))
    if (missed.length > 0) this.#send(missed)
  }

  /** What it has is of another view when it came to this one later. */
  #netViewSince(after: StoreRevision): Frame | undefined {
    const { view, movedAt } = this
    if (view === undefined || movedAt <= after) return view?.netSince(after)
    return view.snapshot(view.changedAt > movedAt ? view.changedAt : movedAt)
  }

  /** Takes a report. The applied revision only grows; the error is always the newest report's. */
  report(report: AppliedReport): void {
    const revision = BigInt(report.appliedRevision)
    if (revision > this.#appliedRevision) this.#appliedRevision = revision
    this.#error = report.error ?? null
  }

  /** The subscription as it is shown. */
  describe(): Subscription {
    return {
      subscriptionId: this.id,
      tenant: this.tenant,
      service: this.service,
      instance: this.instance,
      sentRevision: `${this.#changedRevision}`,
      appliedRevision: `${this.#appliedRevision}`,
      error: this.#error,
      connectedAt: new Date(this.#options.connectedAt).toISOString(),
      ...(this.view?.gray === true ? { gray: true } : {}),
    }
  }
}
