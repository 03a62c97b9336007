import { useEffect } from 'preact/hooks'

/** What a stream of Server-Sent Events tells, by event name; `data` is parsed JSON. */
export interface StreamHandlers {
  readonly events: Readonly<Record<string, (data: unknown) => void>>
  /** Called at each change: true once events come, false when the stream was cut and is being opened again. */
  readonly onState?: (open: boolean) => void
  /** Called each time before the stream is opened again after a cut: what it tells starts anew. */
  readonly onRestart?: () => void
}

const REOPEN_MS = 2000

/** Follows a stream for as long as the component lives; null follows none. An `end` event closes it for good. */
export function useEventStream(path: string | null, handlers: StreamHandlers): void {
  useEffect(() => (path === null ? undefined : follow(path, handlers)), [path])
}

/** Only while the page can be seen: a browser gives all pages of one server six connections together. */
function follow(path: string, handlers: StreamHandlers): () => void {
  const stream = new Stream(path, handlers)
  const onVisibility = (): void => {
    if (document.visibilityState === 'visible') stream.open()
    else stream.close()
  }
  document.addEventListener('visibilitychange', onVisibility)
  onVisibility()
  return () => {
    document.removeEventListener('visibilitychange', onVisibility)
    stream.close()
  }
}

class Stream {
  readonly #path: string
  readonly #handlers: StreamHandlers
  #source: EventSource | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #opened = false
  #ended = false

  constructor(path: string, handlers: StreamHandlers) {
    this.#path = path
    this.#handlers = handlers
  }

  open(): void {
    if (this.#ended) return
    const { events, onState, onRestart } = this.#handlers
    this.close()
    if (this.#opened) onRestart?.()
    this.#opened = true
    const source = new EventSource(this.#path)
    this.#source = source
    source.addEventListener('open', () => onState?.(true))
    for (const [name, handle] of Object.entries(events)) {
      source.addEventListener(name, (event) => {
        if (event instanceof MessageEvent && typeof event.data === 'string') handle(JSON.parse(event.data))
      })
    }
    source.addEventListener('end', () => {
      this.#ended = true
      source.close()
    })
    // The browser's own way to open a stream again would add the same lines to what is there: it is closed, and opened from its start.
    source.onerror = () => {
      this.close()
      onState?.(false)
      this.#timer = setTimeout(() => this.open(), REOPEN_MS)
    }
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#source?.close()
    this.#source = undefined
  }
}
