import type { StreamEventName, StreamFrames } from '@tributary/contract'
import type { StoreRevision } from '@tributary/store'

/**
 * One event of a stream, serialised at most once whoever and how many receive it. The bytes are shared: nobody may change them.
 */
export class Frame {
  readonly event: StreamEventName
  /** The frame's data as JSON text. */
  readonly data: string
  /** The revision that a receiver is at after it; absent in `hello` and `goodbye`. */
  readonly revision: StoreRevision | undefined
  #alone: readonly Frame[] | undefined
  #bytes: Buffer | undefined
  #bytesWithoutId: Buffer | undefined

  constructor(event: StreamEventName, data: string, revision?: StoreRevision) {
    this.event = event
    this.data = data
    this.revision = revision
  }

  /** The frame of a value. */
  static of<E extends StreamEventName>(event: E, data: StreamFrames[E], revision?: StoreRevision): Frame {
    return new Frame(event, JSON.stringify(data), revision)
  }

  /** A list of it alone; the same for everybody, so that a fan-out makes none for each subscriber. */
  get alone(): readonly Frame[] {
    this.#alone ??= [this]
    return this.#alone
  }

  /** Size of its data as UTF-8. */
  get byteLength(): number {
    return Buffer.byteLength(this.data)
  }

  /** Server-Sent Events text with an `id:` line when the frame has a revision. */
  get bytes(): Buffer {
    const id = this.revision === undefined ? '' : `id: ${this.revision}\n`
    this.#bytes ??= Buffer.from(`event: ${this.event}\n${id}data: ${this.data}\n\n`)
    return this.#bytes
  }

  /**
   * The same without `id:`, for a frame that others of its revision follow. A connection cut between the two would otherwise
   * leave a browser with a `Last-Event-ID` that claims the second one too.
   */
  get bytesWithoutId(): Buffer {
    if (this.revision === undefined) return this.bytes
    this.#bytesWithoutId ??= Buffer.from(`event: ${this.event}\ndata: ${this.data}\n\n`)
    return this.#bytesWithoutId
  }
}
