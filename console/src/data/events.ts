import { liveness, noteAnswer } from './connection.js'

/** What the stream of events tells about: see `GET /v1/events`. */
export type Topic = 'environment' | 'run' | 'config' | 'platform'

const TOPICS: readonly Topic[] = ['environment', 'run', 'config', 'platform']
/** A burst of events is one reason to read again. */
const GATHER_MS = 150
/** A server without the stream, or one that refuses it, is asked again seldom; meanwhile the page polls. */
const RETRY_MS = 15_000

type Listener = () => void
const listeners = new Map<Topic, Set<Listener>>(TOPICS.map((topic) => [topic, new Set()]))
const pending = new Map<Topic, ReturnType<typeof setTimeout>>()
let source: EventSource | undefined
let retry: ReturnType<typeof setTimeout> | undefined

/** Calls `listener` when something of the topic has changed; a burst calls it once. Answers how to end it. */
export function onTopic(topic: Topic, listener: Listener): () => void {
  const set = listeners.get(topic)
  set?.add(listener)
  return () => set?.delete(listener)
}

/** Says that a topic has changed, as the stream would: after a write of this page. */
export function tellTopic(topic: Topic): void {
  if (pending.has(topic)) return
  pending.set(
    topic,
    setTimeout(() => {
      pending.delete(topic)
      for (const listener of listeners.get(topic) ?? []) listener()
    }, GATHER_MS),
  )
}

/** Opens the one stream of the page. It opens itself again after a cut; what was missed is read again then. */
export function startEvents(): void {
  stopEvents()
  const opened = new EventSource('/v1/events')
  source = opened
  opened.addEventListener('open', () => {
    noteAnswer(200)
    if (liveness.value !== 'stream') for (const topic of TOPICS) tellTopic(topic)
    liveness.value = 'stream'
  })
  opened.addEventListener('error', () => {
    const wasLive = liveness.value !== 'polling'
    if (opened.readyState === EventSource.CLOSED) {
      liveness.value = wasLive ? 'cut' : 'polling'
      retry = setTimeout(startEvents, RETRY_MS)
    } else {
      liveness.value = wasLive ? 'cut' : 'polling'
    }
  })
  for (const topic of TOPICS) opened.addEventListener(topic, () => tellTopic(topic))
}

/** Ends the stream. */
export function stopEvents(): void {
  clearTimeout(retry)
  source?.close()
  source = undefined
  liveness.value = 'polling'
}
