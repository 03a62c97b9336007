import { backoffMs, isAppError, type Clock } from '@tributary/kit'
import { failure } from '../../../errors.js'
import { collectionPath, selectionQuery, type KubeApi, type Selection } from './kube-api.js'
import type { KubeObject, Resource } from './kube-objects.js'
import { readLines } from './read-lines.js'

/** What is watched, and who is told. */
export interface ListWatchOptions<T extends KubeObject> {
  readonly api: KubeApi
  readonly clock: Clock
  readonly resource: Resource
  readonly selection: Selection
  /** Told of each object that came, changed or went, after the cache has it. Must not throw. */
  readonly onChange: (object: T, change: 'present' | 'gone') => void
  /** Told once for each row of failures. */
  readonly onError: (error: unknown) => void
}

/** How a list-watch is doing. */
export interface ListWatchState {
  readonly kind: string
  readonly objects: number
  /** Milliseconds since the server was last heard; undefined before the first list. */
  readonly ageMs: number | undefined
  readonly lists: number
  readonly failures: number
}

const RETRY = { initialMs: 200, maxMs: 10_000 }
/** The server ends a watch after this long, so that a connection that died in silence is found out soon. */
const WATCH_SECONDS = 240
/** A watch on which nothing comes for this long, not even a bookmark (one a minute), is dead. */
const SILENCE_MS = 150_000

/**
 * A cache of one kind, kept by list and watch: resumes from the last revision after a clean end, lists again after 410 or any error with backoff,
 * and never gives up until it is stopped. What is read from it may be as old as {@link ListWatchState.ageMs} says.
 */
export class ListWatch<T extends KubeObject> {
  readonly #objects = new Map<string, T>()
  readonly #stopping = new AbortController()
  #heardAt: number | undefined
  #lists = 0
  #failures = 0
  #ended: Promise<void> = Promise.resolve()

  constructor(private readonly options: ListWatchOptions<T>) {}

  /** Resolves with the first list. @throws AppError `KUBERNETES_*` when it cannot be had. */
  async start(signal: AbortSignal): Promise<void> {
    const resourceVersion = await this.#list(signal)
    this.#ended = this.#follow(resourceVersion)
  }

  /** Begins without waiting; failures of the first list are told and tried again as all others. */
  begin(): void {
    this.#ended = this.#follow(undefined)
  }

  /** Objects now, in no order. */
  values(): readonly T[] {
    return [...this.#objects.values()]
  }

  state(): ListWatchState {
    const { clock, resource } = this.options
    const ageMs = this.#heardAt === undefined ? undefined : clock.monotonicMs() - this.#heardAt
    return { kind: resource.kind, objects: this.#objects.size, ageMs, lists: this.#lists, failures: this.#failures }
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#ended
  }

  /** Replaces the cache, and tells what is different. */
  async #list(signal: AbortSignal): Promise<string> {
    const { api, resource, selection, onChange } = this.options
    const { items, metadata } = await api.list<T>(resource, selection, AbortSignal.any([signal, this.#stopping.signal]))
    this.#lists += 1
    this.#heard()
    const listed = new Map(items.map((item) => [keyOf(item), item]))
    for (const [key, object] of this.#objects) {
      if (listed.has(key)) continue
      this.#objects.delete(key)
      onChange(object, 'gone')
    }
    for (const [key, object] of listed) {
      const isNew = this.#objects.get(key)?.metadata.resourceVersion !== object.metadata.resourceVersion
      this.#objects.set(key, object)
      if (isNew) onChange(object, 'present')
    }
    return metadata.resourceVersion ?? ''
  }

  async #follow(from: string | undefined): Promise<void> {
    let resourceVersion = from
    let attempt = 0
    while (!this.#stopping.signal.aborted) {
      try {
        resourceVersion ??= await this.#list(this.#stopping.signal)
        resourceVersion = await this.#watch(resourceVersion)
        attempt = 0
      } catch (error) {
        if (this.#stopping.signal.aborted) return
        // The watch's revision is gone (410) or unknown: only a list can tell what is there.
        resourceVersion = undefined
        attempt += 1
        this.#failures += 1
        if (attempt === 1) this.options.onError(error)
        const waitMs = isAppError(error, 'KUBERNETES_EXPIRED') ? 0 : backoffMs(attempt, RETRY)
        await this.options.clock.sleep(waitMs, this.#stopping.signal).catch(() => undefined)
      }
    }
  }

  /** Follows until the server ends the answer. Resolves with the revision to go on from. */
  async #watch(from: string): Promise<string> {
    const { api, resource, selection } = this.options
    const silence = new AbortController()
    const signal = AbortSignal.any([this.#stopping.signal, silence.signal])
    const query = {
      ...selectionQuery(selection),
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: from,
      timeoutSeconds: String(WATCH_SECONDS),
    }
    const expire = (): void => silence.abort(new Error('nothing was heard for too long'))
    const timer = setTimeout(expire, SILENCE_MS).unref()
    try {
      const path = collectionPath(resource, selection.namespace)
      const answer = await api.open(`watch ${resource.kind}`, { path, query, signal })
      this.#heard()
      let last = from
      for await (const line of readLines(answer)) {
        timer.refresh()
        last = this.#take(parseEvent<T>(line)) ?? last
      }
      return last
    } finally {
      clearTimeout(timer)
    }
  }

  /** Puts an event into the cache. Answers its revision. */
  #take(event: WatchEvent<T>): string | undefined {
    this.#heard()
    if (event.type === 'ERROR') throw watchError(event.object)
    const { object } = event
    if (event.type !== 'BOOKMARK') {
      const gone = event.type === 'DELETED'
      if (gone) this.#objects.delete(keyOf(object))
      else this.#objects.set(keyOf(object), object)
      this.options.onChange(object, gone ? 'gone' : 'present')
    }
    return object.metadata.resourceVersion
  }

  #heard(): void {
    this.#heardAt = this.options.clock.monotonicMs()
  }
}

interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: T
}

function parseEvent<T>(line: string): WatchEvent<T> {
  return JSON.parse(line) as WatchEvent<T>
}

function watchError(status: { readonly code?: number; readonly message?: string } | KubeObject): Error {
  const { code, message } = status as { readonly code?: number; readonly message?: string }
  const text = `the watch ended: ${message ?? 'no reason given'}`
  return failure(code === 410 ? 'KUBERNETES_EXPIRED' : 'KUBERNETES_UNREACHABLE', text)
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}
