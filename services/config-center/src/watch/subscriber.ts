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
  /** Bytes that may wait to be taken, beside whole channels, when there is more to send; beyond them the subscriber is too slow. */
  readonly maxUnsentBytes: number
  /** Makes the frame that says why the connection ends. */
  readonly goodbye: (reason: GoodbyeReason) => Frame
  /** Called once, when the subscriber has been told goodbye; its connection closes later. */
  readonly onEnding: (subscriber: Subscriber) => void
}

/** One live connection: its channels, the frames that wait for the next write, and what it has reported. */
export class Subscriber implements ChannelListener, Flushable {
  readonly id: string
  readonly kind: 'stream' | 'poll'
  readonly tenant: string
  readonly service: string | null
  readonly instance: string
  readonly tokenId: string
  view: ViewChannel | undefined
  table: TableChannel | undefined
  readonly #options: SubscriberOptions
  #pending: Frame[] = []
  #allowanceBytes: number
  #ending = false
  #sentRevision: StoreRevision = 0n
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
    this.#allowanceBytes = options.maxUnsentBytes
  }

  /** Everything up to this revision has been reported as applied; never goes back. */
  get appliedRevision(): StoreRevision {
    return this.#appliedRevision
  }

  /** The error of the newest report; null when that had none. */
  get error(): string | null {
    return this.#error
  }

  /** Queues the first frames, which may be of any size, and notes what the subscriber has brought along. */
  start(frames: readonly Frame[], appliedRevision: StoreRevision): void {
    this.#appliedRevision = appliedRevision
    this.replace(frames)
  }

  /** Queues whole channels. They are needed however large they are, so they widen the bound. */
  replace(frames: readonly Frame[]): void {
    for (const frame of frames) {
      this.#allowanceBytes += frame.bytes.length
      this.onFrame(frame)
    }
  }

  onFrame(frame: Frame): void {
    if (this.#ending) return
    this.#pending.push(frame)
    this.#options.outbox.schedule(this)
  }

  flush(): void {
    const frames = this.#pending
    if (frames.length === 0) return
    this.#pending = []
    const { connection } = this.#options
    // What is to be sent now does not count: a large change is not the subscriber's fault, only what it leaves lying is.
    if (connection.unsentBytes > this.#allowanceBytes) {
      this.end('slow_consumer')
      return
    }
    connection.send(frames)
    for (const { revision } of frames) if (revision !== undefined) this.#sentRevision = revision
  }

  /** Says goodbye after what was sent before, and takes nothing any more. */
  end(reason: GoodbyeReason): void {
    if (this.#ending) return
    // What is still queued goes first, unless it is the very thing that the subscriber is too slow for.
    if (reason !== 'slow_consumer') this.flush()
    if (this.#ending) return
    this.#ending = true
    this.#pending = []
    this.#options.connection.send([this.#options.goodbye(reason)])
    this.#options.connection.end()
    this.#options.onEnding(this)
  }

  /** Cuts the connection. */
  destroy(): void {
    this.#ending = true
    this.#pending = []
    this.#options.connection.destroy()
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
      sentRevision: `${this.#sentRevision}`,
      appliedRevision: `${this.#appliedRevision}`,
      error: this.#error,
      connectedAt: new Date(this.#options.connectedAt).toISOString(),
    }
  }
}
