import type { ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import type { FrameConnection } from './frame-connection.js'
import type { Frame } from './frame.js'

/** `no-transform` and `X-Accel-Buffering` keep proxies from compressing or holding back what must arrive now. */
const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
  connection: 'close',
}

/**
 * Server-Sent Events on a raw response. The body ends with the connection instead of being cut into chunks, so that a shared
 * buffer goes to the socket as it is.
 */
export class SseConnection implements FrameConnection {
  readonly #response: ServerResponse
  #output: Writable

  /** Nothing is written or changed before the first frames are sent, so a refused request can still be answered otherwise. */
  constructor(response: ServerResponse) {
    this.#response = response
    this.#output = response
  }

  get unsentBytes(): number {
    return this.#output.writableNeedDrain ? this.#output.writableLength : 0
  }

  onceDrained(listener: () => void): void {
    this.#output.once('drain', listener)
  }

  send(frames: readonly Frame[]): void {
    const response = this.#response
    if (response.destroyed || response.writableEnded) return
    if (!response.headersSent) this.#open()
    const last = frames.length - 1
    if (last === 0) {
      this.#output.write(frames[0]!.bytes)
      return
    }
    this.#output.cork()
    frames.forEach((frame, index) => this.#output.write(index === last ? frame.bytes : frame.bytesWithoutId))
    this.#output.uncork()
  }

  end(): void {
    this.#response.end()
  }

  destroy(): void {
    this.#response.destroy()
  }

  #open(): void {
    const response = this.#response
    // A write that fails is followed by `close`, which is where the subscriber is forgotten.
    response.on('error', () => undefined)
    response.removeHeader('transfer-encoding')
    response.writeHead(200, HEADERS)
    response.flushHeaders()
    // Past the headers the response would add nothing but its bookkeeping, a third of the memory of a stream that has been written
    // to. It has no socket only while a pipelined request before it is still being answered.
    this.#output = response.socket ?? response
  }
}
