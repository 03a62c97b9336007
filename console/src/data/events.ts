import { liveness, noteAnswer } from './connection.js'

/** What the stream of events tells about: see `GET /v1/events`. */
export type Topic = 'environment' | 'run' | 'config' | 'platform'

const TOPICS: readonly Topic[] = ['environment', 'run', 'config', 'platform']
/** A burst of events is one reason to read again. */
const GATHER_MS = 250
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

/**
 * Opens the one stream of the page. It opens itself again after a cut; what was missed is read again then. A page that nobody looks at has
 * none: a browser gives all pages of one server six connections together.
 */
export function startEvents(): void {
  stopEvents()
  document.addEventListener('visibilitychange', onVisibility)
  if (document.visibilityState === 'visible') open()
}

/** Ends the stream. */
export function stopEvents(): void {
  document.removeEventListener('visibilitychange', onVisibility)
  close()
  liveness.value = 'polling'
}

function onVisibility(): void {
  close()
  if (document.visibilityState === 'visible') open()
}

function close(): void {
  clearTimeout(retry)
  source?.close()
  source = undefined
}

function open(): void {
  const opened = new EventSource('/v1/events')
  source = opened
  opened.addEventListener('open', () => {
    noteAnswer(200)
    liveness.value = 'stream'
  })
  opened.addEventListener('error', () => {
    if (liveness.value !== 'polling') liveness.value = 'cut'
    // The browser opens a cut stream again by itself; one that was refused it gives up.
    if (opened.readyState === EventSource.CLOSED) retry = setTimeout(onVisibility, RETRY_MS)
  })
  opened.addEventListener('reset', () => TOPICS.forEach(tellTopic))
  for (const topic of TOPICS) opened.addEventListener(topic, () => tellTopic(topic))
}
