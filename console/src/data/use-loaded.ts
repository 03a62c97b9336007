import { signal, type ReadonlySignal, type Signal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { ApiFailure } from '../api/api-failure.js'
import { downSince, liveness, recoveries } from './connection.js'
import { onTopic, type Topic } from './events.js'

/** What a page shows of the API: the last data stays when a later read fails. */
export interface Loaded<T> {
  readonly data: T | undefined
  /** Of the newest read; undefined when it went well. */
  readonly failure: ApiFailure | undefined
  /** When `data` was read (epoch milliseconds). */
  readonly loadedAt: number | undefined
}

/** A thing that is read, shown, and read again when it may have changed. */
export interface Source<T> {
  readonly state: ReadonlySignal<Loaded<T>>
  readonly refresh: () => void
}

interface Options<T> {
  /** Names the thing: what was read under the same key is shown at once, and is marked stale until it has been read again. */
  readonly key: string
  readonly load: (signal: AbortSignal) => Promise<T>
  /** Which events make it worth reading again. */
  readonly topics?: readonly Topic[]
  /** Without a stream of events it is read this often; default 4 s. */
  readonly everyMs?: number
}

const NOTHING: Loaded<never> = { data: undefined, failure: undefined, loadedAt: undefined }
const POLL_MS = 4000
const STREAMED_POLL_MS = 30_000
const RECOVER_MS = 1500
const MAX_REMEMBERED = 200
const remembered = new Map<string, Signal<Loaded<unknown>>>()

/** Forgets everything that was read: somebody else signs in. */
export function forgetLoaded(): void {
  remembered.clear()
}

/** Shows what `load` answers for as long as the component lives. */
export function useLoaded<T>({ key, load, topics = [], everyMs = POLL_MS }: Options<T>): Source<T> {
  const reader = useMemo(() => new Reader<T>(stateFor<T>(key), load), [key])
  reader.load = load
  useEffect(() => {
    reader.start()
    const unsubscribe = topics.map((topic) => onTopic(topic, () => reader.read()))
    const known = recoveries.peek()
    const stopRecovery = recoveries.subscribe((count) => {
      // A subscription begins with the present.
      if (count !== known) reader.read()
    })
    const stopPolling = poll(() => reader.read(), everyMs)
    return () => {
      for (const stop of [...unsubscribe, stopRecovery, stopPolling]) stop()
      reader.stop()
    }
  }, [reader])
  return reader
}

function stateFor<T>(key: string): Signal<Loaded<T>> {
  const known = remembered.get(key)
  // A key says which thing it is, and with that of which type.
  if (known !== undefined) return known as Signal<Loaded<T>>
  const oldest = remembered.keys().next().value
  if (remembered.size >= MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest)
  const made = signal<Loaded<T>>(NOTHING)
  remembered.set(key, made)
  return made
}

/** Calls `look` again and again while the page can be seen: seldom with a stream, often while the API is down. */
function poll(look: () => void, everyMs: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const next = (): void => {
    const waitMs =
      downSince.peek() !== undefined
        ? RECOVER_MS
        : liveness.peek() === 'stream'
          ? Math.max(everyMs, STREAMED_POLL_MS)
          : everyMs
    timer = setTimeout(() => {
      if (document.visibilityState === 'visible') look()
      next()
    }, waitMs)
  }
  const seen = (): void => {
    if (document.visibilityState === 'visible') look()
  }
  document.addEventListener('visibilitychange', seen)
  const restart = downSince.subscribe(() => {
    clearTimeout(timer)
    next()
  })
  return () => {
    clearTimeout(timer)
    restart()
    document.removeEventListener('visibilitychange', seen)
  }
}

/** Reads one at a time; a wish to read while one is under way is granted once it has ended. */
class Reader<T> implements Source<T> {
  readonly state: Signal<Loaded<T>>
  load: (signal: AbortSignal) => Promise<T>
  #ending = new AbortController()
  #busy = false
  #again = false

  constructor(state: Signal<Loaded<T>>, load: (signal: AbortSignal) => Promise<T>) {
    this.state = state
    this.load = load
  }

  readonly refresh = (): void => this.read()

  start(): void {
    this.#ending = new AbortController()
    this.read()
  }

  stop(): void {
    this.#ending.abort()
    this.#busy = false
    this.#again = false
  }

  read(): void {
    if (this.#busy) this.#again = true
    else void this.#read(this.#ending.signal)
  }

  async #read(ending: AbortSignal): Promise<void> {
    this.#busy = true
    try {
      const data = await this.load(ending)
      if (ending.aborted) return
      this.state.value = { data, failure: undefined, loadedAt: Date.now() }
    } catch (error) {
      if (ending.aborted) return
      const failure = error instanceof ApiFailure ? error : new ApiFailure(String(error), { status: 0, code: 'PAGE' })
      const kept = failure.status === 404 || failure.status === 403 ? NOTHING : this.state.value
      this.state.value = { ...kept, failure }
    }
    this.#busy = false
    if (!this.#again) return
    this.#again = false
    this.read()
  }
}
