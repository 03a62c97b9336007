import { backoffMs, type Clock } from '@tributary/kit'
import {
  namespaceSelector,
  tenantOfNamespace,
  type EnvironmentNamespaces,
  type LabelledNamespace,
} from '../../domain/environment-namespace.js'
import { failure } from '../../errors.js'
import { apiObjects } from './api-objects.js'
import type { ApiServer } from './api-server.js'

/** What a {@link NamespaceWatch} needs. */
export interface NamespaceWatchOptions extends EnvironmentNamespaces {
  readonly api: ApiServer
  readonly clock: Clock
  readonly random: () => number
  /** Told synchronously when a namespace is no longer that of the environment that it was. */
  readonly onGone: (name: string) => void
}

const PATH = '/api/v1/namespaces'
/** The server ends a watch after this; a connection that died unnoticed is missed for a little longer at most. */
const WATCH_SECONDS = 120
const SILENCE_MS = (WATCH_SECONDS + 10) * 1_000
const BACKOFF = { initialMs: 200, maxMs: 30_000 } as const
/** A list with its watch that lasted so long counts as good: the backoff begins anew. */
const STABLE_MS = 10_000
const MIN_WATCH_MS = 1_000

interface WatchPosition {
  resourceVersion: string
  failed: boolean
}

/** Follows the namespaces that bear the instance's labels: list, watch, list again after any error. */
export class NamespaceWatch {
  readonly #options: NamespaceWatchOptions
  readonly #known = new Map<string, LabelledNamespace>()
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #isLive = false
  /** Changes that the watch has told; a read that was under way then may be of the time before. */
  #changes = 0

  constructor(options: NamespaceWatchOptions) {
    this.#options = options
  }

  /** Begins; does not wait. */
  start(): void {
    this.#running = this.#run()
  }

  /** Ends the watch. Idempotent. */
  async close(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  /**
   * The namespace, if the instance's labels are on it: from memory while the watch is live and has it, else by asking. From then on its end is told.
   * @throws AppError `WORKLOAD_IDENTITY_UNAVAILABLE`
   */
  async find(name: string): Promise<LabelledNamespace | undefined> {
    for (;;) {
      const known = this.#isLive ? this.#known.get(name) : undefined
      if (known !== undefined) return known
      const changes = this.#changes
      const read = await this.#read(name)
      if (changes !== this.#changes) continue
      if (read !== undefined) this.#keep(read)
      return read
    }
  }

  async #read(name: string): Promise<LabelledNamespace | undefined> {
    // By the selector too: a namespace of somebody else is not even looked at.
    const fields = `metadata.name=${name}`
    const query = new URLSearchParams({
      labelSelector: namespaceSelector(this.#options.instance),
      fieldSelector: fields,
    })
    return (await this.#list(query)).items[0]
  }

  async #list(query: URLSearchParams): Promise<{ items: LabelledNamespace[]; resourceVersion: string }> {
    const { status, body } = await this.#options.api.request({
      method: 'GET',
      path: `${PATH}?${query.toString()}`,
      signal: this.#stopping.signal,
    })
    if (status === 200 && apiObjects.namespaceList.Check(body)) {
      const items = body.items.map(({ metadata }) => ({ name: metadata.name, labels: metadata.labels ?? {} }))
      return { items, resourceVersion: body.metadata.resourceVersion }
    }
    const advice = status === 403 ? '; allow our ServiceAccount to list and watch namespaces' : ''
    throw failure('WORKLOAD_IDENTITY_UNAVAILABLE', `Listing namespaces was answered with ${status}${advice}.`)
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options
    const { signal } = this.#stopping
    let failures = 0
    while (!signal.aborted) {
      const begunAt = clock.monotonicMs()
      // Whatever went wrong: the next list tells everything that was missed, and until then every question is asked of the API server itself.
      await this.#relist().then(
        (from) => this.#follow(from),
        () => undefined,
      )
      this.#isLive = false
      failures = clock.monotonicMs() - begunAt > STABLE_MS ? 1 : failures + 1
      await clock.sleep(backoffMs(failures, { ...BACKOFF, random }), signal).catch(() => undefined)
    }
  }

  async #relist(): Promise<string> {
    const query = new URLSearchParams({ labelSelector: namespaceSelector(this.#options.instance) })
    const { items, resourceVersion } = await this.#list(query)
    const listed = new Set(items.map(({ name }) => name))
    for (const item of items) this.#keep(item)
    for (const name of this.#known.keys()) {
      // It may be newer than the list: a question about it was answered meanwhile.
      if (!listed.has(name) && (await this.#read(name)) === undefined) this.#forget(name)
    }
    this.#changes += 1
    return resourceVersion
  }

  /** Watches until something other than a clean end happens. Never rejects. */
  async #follow(from: string): Promise<void> {
    const position = { resourceVersion: from, failed: false }
    this.#isLive = true
    while (!this.#stopping.signal.aborted && !position.failed) {
      const begunAt = this.#options.clock.monotonicMs()
      const status = await this.#watch(position).catch(() => 0)
      // A server that ends every watch at once is not asked again at once.
      if (status !== 200 || this.#options.clock.monotonicMs() - begunAt < MIN_WATCH_MS) return
    }
  }

  #watch(position: WatchPosition): Promise<number> {
    const query = new URLSearchParams({
      labelSelector: namespaceSelector(this.#options.instance),
      watch: '1',
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(WATCH_SECONDS),
      resourceVersion: position.resourceVersion,
    })
    const path = `${PATH}?${query.toString()}`
    const onLine = (line: string): boolean => {
      this.#take(line, position)
      return !position.failed
    }
    return this.#options.api.watch({ path, timeoutMs: SILENCE_MS, signal: this.#stopping.signal, onLine })
  }

  #take(line: string, position: WatchPosition): void {
    const event: unknown = JSON.parse(line)
    if (!apiObjects.watchEvent.Check(event) || event.type === 'ERROR') {
      position.failed = true
      return
    }
    const { metadata } = event.object
    position.resourceVersion = metadata?.resourceVersion ?? position.resourceVersion
    if (metadata?.name === undefined || event.type === 'BOOKMARK') return
    this.#changes += 1
    // With a selector, a namespace that loses a label is told as deleted.
    if (event.type === 'DELETED') this.#forget(metadata.name)
    else this.#keep({ name: metadata.name, labels: metadata.labels ?? {} })
  }

  /** The selector does not see the environment's label: a change of it is no deletion to the API server. */
  #keep(namespace: LabelledNamespace): void {
    const before = this.#known.get(namespace.name)
    this.#known.set(namespace.name, namespace)
    const tenant = before === undefined ? undefined : tenantOfNamespace(before, this.#options)
    if (tenant !== undefined && tenant !== tenantOfNamespace(namespace, this.#options))
      this.#options.onGone(namespace.name)
  }

  #forget(name: string): void {
    this.#known.delete(name)
    this.#options.onGone(name)
  }
}
