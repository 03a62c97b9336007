import type { ServerResponse } from 'node:http'
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

  /** Nothing is written or changed before the first frames are sent, so a refused request can still be answered otherwise. */
  constructor(response: ServerResponse) {
    this.#response = response
  }

  get unsentBytes(): number {
    return this.#response.writableLength
  }

  send(frames: readonly Frame[]): void {
    const response = this.#response
    if (response.destroyed || response.writableEnded) return
    if (!response.headersSent) this.#open()
    const last = frames.length - 1
    if (last === 0) {
      response.write(frames[0]!.bytes)
      return
    }
    response.cork()
    frames.forEach((frame, index) => response.write(index === last ? frame.bytes : frame.bytesWithoutId))
    response.uncork()
  }

  end(): void {
    this.#response.end()
  }

  destroy(): void {
    this.#response.destroy()
  }

  #open(): void {
    // A write that fails is followed by `close`, which is where the subscriber is forgotten.
    this.#response.on('error', () => undefined)
    this.#response.removeHeader('transfer-encoding')
    this.#response.writeHead(200, HEADERS)
  }
}
