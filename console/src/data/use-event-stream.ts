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

function follow(path: string, { events, onState, onRestart }: StreamHandlers): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let source: EventSource | undefined
  let opened = 0
  const open = (): void => {
    if (opened > 0) onRestart?.()
    opened += 1
    const current = new EventSource(path)
    source = current
    current.addEventListener('open', () => onState?.(true))
    for (const [name, handle] of Object.entries(events)) {
      current.addEventListener(name, (event) => {
        if (event instanceof MessageEvent && typeof event.data === 'string') handle(JSON.parse(event.data))
      })
    }
    current.addEventListener('end', () => {
      current.close()
      onState?.(true)
    })
    // The browser's own way to open a stream again would add the same lines to what is there: it is closed, and opened from its start.
    current.onerror = () => {
      current.close()
      onState?.(false)
      timer = setTimeout(open, REOPEN_MS)
    }
  }
  open()
  return () => {
    clearTimeout(timer)
    source?.close()
  }
}
