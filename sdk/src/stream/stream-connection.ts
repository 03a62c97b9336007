import type { ClientRequest, IncomingMessage } from 'node:http'
import { errorMessage } from '../http/error-message.js'
import { readText, retryAfterMs, type Transport } from '../http/transport.js'
import { parseFrame, type Frame } from './frames.js'
import { SseParser } from '@tributary/kit'
import type { StreamEnd } from './stream-end.js'

/** What one connection needs. */
export interface StreamConnectionOptions {
  readonly transport: Transport
  readonly path: string
  /** Called for each frame in order; an end that it returns closes the connection with that cause. */
  readonly onFrame: (frame: Frame) => StreamEnd | undefined
  /** Monotonic milliseconds. */
  readonly monotonicMs: () => number
  /** The heartbeat to expect until `hello` names the server's. */
  readonly initialHeartbeatMs: number
  readonly signal: AbortSignal
}

/** Silence of this many heartbeats ends the connection. */
const SILENT_HEARTBEATS = 3
/** Bytes that trickle in without ever completing a frame end it after this many: a large snapshot on a thin line needs patience. */
const TRICKLE_HEARTBEATS = 20
/** A server cannot make the watchdog spin. */
const MIN_HEARTBEAT_MS = 20
const MAX_ERROR_BYTES = 64 * 1024

/** Statuses that mean "not now" although they are below 500. */
const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([408, 425, 429])

/** One connection to the stream, from the request to its end. Ends exactly once and leaves nothing open. */
export class StreamConnection {
  readonly #options: StreamConnectionOptions
  readonly #parser = new SseParser()
  readonly #request: ClientRequest
  #settle: (end: StreamEnd) => void = () => undefined
  #ended = false
  #suspected = false
  #heartbeatMs: number
  #lastByteAt: number
  #lastFrameAt: number
  #watchdog: NodeJS.Timeout | undefined
  readonly #abort = (): void => this.#end({ cause: 'aborted', message: 'the client closes' })

  private constructor(options: StreamConnectionOptions) {
    this.#options = options
    this.#heartbeatMs = options.initialHeartbeatMs
    this.#lastByteAt = this.#lastFrameAt = options.monotonicMs()
    this.#request = options.transport.begin({
      method: 'GET',
      path: options.path,
      headers: { accept: 'text/event-stream', 'cache-control': 'no-store' },
    })
  }

  /** Opens the stream and resolves with why it ended; never rejects. */
  static run(options: StreamConnectionOptions): Promise<StreamEnd> {
    if (options.signal.aborted) return Promise.resolve({ cause: 'aborted', message: 'the client closes' })
    const connection = new StreamConnection(options)
    return new Promise((resolve) => {
      connection.#settle = resolve
      connection.#open()
    })
  }

  #open(): void {
    this.#options.signal.addEventListener('abort', this.#abort, { once: true })
    this.#request.on('error', (error) => this.#end({ cause: 'network', message: error.message }))
    this.#request.once('response', (response) => this.#onResponse(response))
    this.#request.end()
    this.#watch()
  }

  #onResponse(response: IncomingMessage): void {
    this.#lastByteAt = this.#options.monotonicMs()
    response.on('error', (error) => this.#end({ cause: 'network', message: error.message }))
    const status = response.statusCode ?? 0
    if (status !== 200) return void this.#onRefusal(response, status)
    const type = response.headers['content-type'] ?? ''
    if (!type.toLowerCase().startsWith('text/event-stream')) {
      return this.#end({ cause: 'protocol', message: `the answer is ${type || 'untyped'}, not text/event-stream` })
    }
    response.on('data', (chunk: Buffer) => this.#onChunk(chunk))
    response.once('end', () => this.#end({ cause: 'closed', message: 'the server closed the stream' }))
    response.once('close', () => this.#end({ cause: 'network', message: 'the connection broke' }))
  }

  async #onRefusal(response: IncomingMessage, status: number): Promise<void> {
    let body: unknown
    try {
      body = JSON.parse(await readText(response, MAX_ERROR_BYTES))
    } catch {
      // The status says enough; a proxy's HTML page would not be shown anyway.
    }
    const wait = retryAfterMs(response)
    const message = errorMessage(status, body)
    this.#end({ cause: causeOf(status), message, ...(wait === undefined ? {} : { retryAfterMs: wait }) })
  }

  #onChunk(chunk: Buffer): void {
    this.#lastByteAt = this.#options.monotonicMs()
    try {
      for (const event of this.#parser.push(chunk)) {
        if (this.#ended) return
        const frame = parseFrame(event)
        if (frame !== undefined) this.#onFrame(frame)
      }
    } catch (error) {
      this.#end({ cause: 'protocol', message: error instanceof Error ? error.message : String(error) })
    }
  }

  #onFrame(frame: Frame): void {
    this.#lastFrameAt = this.#lastByteAt
    if (frame.event === 'hello') {
      this.#heartbeatMs = Math.max(MIN_HEARTBEAT_MS, frame.data.heartbeatMs)
      this.#watch()
    }
    const end = this.#options.onFrame(frame)
    if (end !== undefined) this.#end(end)
  }

  /** Ends the connection when the server has been silent for too long, else looks again when it could be. */
  #watch(): void {
    const now = this.#options.monotonicMs()
    const silentAt = this.#lastByteAt + SILENT_HEARTBEATS * this.#heartbeatMs
    const trickleAt = this.#lastFrameAt + TRICKLE_HEARTBEATS * this.#heartbeatMs
    const deadline = Math.min(silentAt, trickleAt)
    if (now >= deadline && !this.#suspected) {
      // A blocked event loop looks like silence: bytes that wait in the socket are read before the verdict.
      this.#suspected = true
      setImmediate(() => this.#ended || this.#watch())
      return
    }
    if (now >= deadline) {
      const what = now >= silentAt ? 'nothing was received' : 'no whole frame was received'
      return this.#end({ cause: 'silent', message: `${what} for several heartbeats of ${this.#heartbeatMs} ms` })
    }
    this.#suspected = false
    clearTimeout(this.#watchdog)
    this.#watchdog = setTimeout(() => this.#watch(), deadline - now + 1)
  }

  #end(end: StreamEnd): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#watchdog)
    this.#options.signal.removeEventListener('abort', this.#abort)
    this.#request.destroy()
    this.#settle(end)
  }
}

function causeOf(status: number): StreamEnd['cause'] {
  if (status >= 500 || TRANSIENT_STATUSES.has(status)) return 'unavailable'
  if (status >= 300 && status < 400) return 'protocol'
  return 'refused'
}
