import { StringDecoder } from 'node:string_decoder'

/** One dispatched event. `id` is the last event id seen so far, as the SSE standard defines it. */
export interface SseEvent {
  readonly event: string
  readonly data: string
  readonly id: string
}

/** The most characters that one event may take before the stream counts as garbage. */
const DEFAULT_MAX_EVENT_CHARS = 64 * 1024 * 1024

const BYTE_ORDER_MARK = '\uFEFF'

/**
 * Parses Server-Sent Events (HTML standard, section 9.2.6) from chunks that may be cut anywhere, inside a character too.
 * An event that is not finished when the stream ends is dropped, as the standard says. An event without data is not
 * dispatched. `retry` is kept in {@link retryMs}.
 */
export class SseParser {
  readonly #decoder = new StringDecoder('utf8')
  readonly #maxEventChars: number
  /** The pieces of the unfinished line, joined once when it ends, so that a long line in many chunks stays linear. */
  #pieces: string[] = []
  #pieceChars = 0
  #skipLineFeed = false
  #started = false
  #event = ''
  #data: string | undefined
  #eventChars = 0
  #id = ''
  /** The last valid `retry` field, in milliseconds. */
  retryMs: number | undefined

  constructor(maxEventChars: number = DEFAULT_MAX_EVENT_CHARS) {
    this.#maxEventChars = maxEventChars
  }

  /**
   * Takes the next bytes and returns the events that they complete, in order.
   * @throws RangeError when an event grows past the limit.
   */
  push(chunk: Uint8Array): SseEvent[] {
    const text = this.#decode(chunk)
    const events: SseEvent[] = []
    let start = 0
    // Where the next of each kind is, or the end of the text: most streams have no CR at all, and are searched for it once.
    let [lineFeed, carriageReturn] = [find(text, '\n', 0), find(text, '\r', 0)]
    while (lineFeed < text.length || carriageReturn < text.length) {
      const end = Math.min(lineFeed, carriageReturn)
      this.#takeLine(this.#finishLine(text.slice(start, end)), events)
      start = carriageReturn + 1 === lineFeed ? lineFeed + 1 : end + 1
      if (lineFeed < start) lineFeed = find(text, '\n', start)
      if (carriageReturn < start) carriageReturn = find(text, '\r', start)
    }
    if (start < text.length) this.#keepPiece(text.slice(start))
    this.#checkSize()
    return events
  }

  /** The chunk's text without a byte order mark at the very start, and without the LF of a CRLF that began in the last chunk. */
  #decode(chunk: Uint8Array): string {
    let text = this.#decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    if (text === '') return text
    if (!this.#started && text.startsWith(BYTE_ORDER_MARK)) text = text.slice(1)
    this.#started = true
    if (this.#skipLineFeed && text.startsWith('\n')) text = text.slice(1)
    this.#skipLineFeed = text.endsWith('\r')
    return text
  }

  #finishLine(rest: string): string {
    if (this.#pieces.length === 0) return rest
    const line = this.#pieces.join('') + rest
    this.#pieces = []
    this.#pieceChars = 0
    return line
  }

  #keepPiece(piece: string): void {
    this.#pieces.push(piece)
    this.#pieceChars += piece.length
  }

  #checkSize(): void {
    if (this.#eventChars + this.#pieceChars > this.#maxEventChars) {
      throw new RangeError(`an event is longer than ${this.#maxEventChars} characters`)
    }
  }

  #takeLine(line: string, events: SseEvent[]): void {
    if (line === '') return this.#dispatch(events)
    const colon = line.indexOf(':')
    if (colon === 0) return
    const name = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    this.#takeField(name, value)
  }

  #takeField(name: string, value: string): void {
    if (name === 'data') {
      this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`
      this.#eventChars += value.length
    } else if (name === 'event') this.#event = value
    else if (name === 'id' && !value.includes('\0')) this.#id = value
    else if (name === 'retry' && /^[0-9]+$/.test(value)) this.retryMs = Number(value)
  }

  #dispatch(events: SseEvent[]): void {
    if (this.#data !== undefined) {
      events.push({ event: this.#event === '' ? 'message' : this.#event, data: this.#data, id: this.#id })
    }
    this.#event = ''
    this.#data = undefined
    this.#eventChars = 0
  }
}

/** The first place of `character` from `from` on; the length of the text when there is none. */
function find(text: string, character: string, from: number): number {
  const place = text.indexOf(character, from)
  return place < 0 ? text.length : place
}
