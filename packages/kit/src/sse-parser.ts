/** One Server-Sent Event as the WHATWG HTML standard defines it. */
export interface SseEvent {
  /** Event name; `message` when the stream named none. */
  readonly event: string
  readonly data: string
  /** Last event id seen so far, this event's own included; empty when there was none. */
  readonly lastEventId: string
}

/** A parser that is fed bytes as they come. */
export interface SseParser {
  /** Takes any slice of the stream and returns the events that it completed. Throws `RangeError` over `maxEventBytes`. */
  push(chunk: Uint8Array): SseEvent[]
}

/** Default bound of one event, so that a broken server cannot fill the memory. */
const MAX_EVENT_BYTES = 64 * 1024 * 1024

/**
 * Parses `text/event-stream`: LF, CR and CRLF in any split, a leading BOM, UTF-8 split between chunks, comments, several `data`
 * lines. An event that the stream's end cuts is dropped, as the standard asks.
 */
export function createSseParser(options: { readonly maxEventBytes?: number } = {}): SseParser {
  const maxEventBytes = options.maxEventBytes ?? MAX_EVENT_BYTES
  const decoder = new TextDecoder('utf-8')
  const state = { line: '', data: [] as string[], event: '', lastEventId: '', size: 0, afterCarriageReturn: false }

  const endLine = (line: string, events: SseEvent[]): void => {
    if (line === '') {
      if (state.data.length > 0) {
        events.push({ event: state.event || 'message', data: state.data.join('\n'), lastEventId: state.lastEventId })
      }
      state.data = []
      state.event = ''
      state.size = 0
      return
    }
    const colon = line.indexOf(':')
    if (colon === 0) return
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'data') state.data.push(value)
    else if (field === 'event') state.event = value
    else if (field === 'id' && !value.includes('\0')) state.lastEventId = value
  }

  return {
    push(chunk) {
      const events: SseEvent[] = []
      state.size += chunk.byteLength
      let text = decoder.decode(chunk, { stream: true })
      // A CR that ended the previous chunk may be the first half of a CRLF.
      if (state.afterCarriageReturn && text.startsWith('\n')) text = text.slice(1)
      if (text !== '') state.afterCarriageReturn = text.endsWith('\r')
      const lines = text.split(/\r\n|\r|\n/)
      const rest = lines.pop() ?? ''
      for (const line of lines) {
        endLine(state.line + line, events)
        state.line = ''
      }
      state.line += rest
      if (state.size > maxEventBytes)
        throw new RangeError(`an event of the stream is larger than ${maxEventBytes} bytes`)
      return events
    },
  }
}
