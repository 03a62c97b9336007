import { AppError, backoffMs, isAppError, systemClock, type Clock } from '@tributary/kit'
import type { RevisionedStore, StoreEntry, StoreRevision, WatchBatch } from '@tributary/store'
import { Catalog, type CatalogChange, type CatalogReader } from '../domain/catalog.js'
import { BOOKMARK_KEY, STORE_PREFIX } from '../domain/keys.js'
import type { CatalogHealth, LiveCatalog } from '../ports/live-catalog.js'
import { differenceBatch, isMirrored, listStore, type Listing } from './relist.js'
import { RevisionWaiters } from './revision-waiters.js'
import { SharedCall } from './shared-call.js'

/** What a mirror needs. `signal` ends it as {@link CatalogMirror.stop} does. `retry` bounds the backoff after a store failure. */
export interface CatalogMirrorOptions {
  readonly store: RevisionedStore
  readonly signal: AbortSignal
  readonly clock?: Clock
  readonly retry?: { readonly initialMs: number; readonly maxMs: number }
  /** Told when the mirror becomes stale or live again. */
  readonly onHealth?: (health: CatalogHealth) => void
  /** Told each time that the watch has ended and is to begin again. */
  readonly onResync?: (cause: 'compacted' | 'failed') => void
}

/** How a batch came: as one revision, or as the difference to a listing, which says nothing about the revisions on the way to it. */
export type BatchOrigin = 'watch' | 'listing'

/** Told what a batch changed; may be an empty list, when only the revision moved. Runs synchronously and must not throw. */
export type ChangeListener = (
  changes: readonly CatalogChange[],
  storeRevision: StoreRevision,
  origin: BatchOrigin,
) => void

/** Follows keys that the catalog does not know. Batches are in revision order and hold all mirrored keys below `cc/`. */
export interface MirrorConsumer {
  applyBatch(batch: WatchBatch): void
}

const RETRY = { initialMs: 100, maxMs: 5_000 }

/**
 * The replica's one copy of the store: one listing, then one watch. Every revision is applied to the catalog, then to consumers,
 * then told to listeners, then waiters go on: all in one synchronous step, so nobody ever sees half a revision.
 *
 * | the store | the mirror |
 * | --- | --- |
 * | has compacted what it needs | lists again and delivers the difference as one batch |
 * | does not answer | serves what it has, `health` says since when, retries with backoff |
 */
export class CatalogMirror implements LiveCatalog {
  readonly #store: RevisionedStore
  readonly #clock: Clock
  readonly #retry: { readonly initialMs: number; readonly maxMs: number }
  readonly #onHealth: (health: CatalogHealth) => void
  readonly #onResync: (cause: 'compacted' | 'failed') => void
  readonly #stopping = new AbortController()
  readonly #catalog = new Catalog()
  readonly #entries = new Map<string, StoreEntry>()
  readonly #listeners = new Set<ChangeListener>()
  readonly #consumers = new Set<MirrorConsumer>()
  readonly #waiters = new RevisionWaiters()
  readonly #currentRevision: SharedCall<StoreRevision>
  readonly #bookmark: SharedCall<StoreRevision>
  #health: CatalogHealth = { state: 'live' }
  #running: Promise<void> = Promise.resolve()
  #failures = 0
  #staleSinceMs: number | undefined

  private constructor(options: CatalogMirrorOptions) {
    this.#store = options.store
    this.#clock = options.clock ?? systemClock
    this.#retry = options.retry ?? RETRY
    this.#onHealth = options.onHealth ?? (() => undefined)
    this.#onResync = options.onResync ?? (() => undefined)
    this.#currentRevision = new SharedCall(() => this.#store.currentRevision({ signal: this.#stopping.signal }))
    this.#bookmark = new SharedCall(() => this.#writeBookmark())
    this.#stopping.signal.addEventListener('abort', () => this.#waiters.fail(stoppedError()), { once: true })
    const stop = (): void => this.#stopping.abort(stoppedError())
    if (options.signal.aborted) stop()
    else options.signal.addEventListener('abort', stop, { once: true, signal: this.#stopping.signal })
  }

  /**
   * Resolves when the first listing is applied; the mirror then follows the store until it is stopped.
   * @throws AppError as the store does: a replica that has never seen the store has nothing to serve.
   */
  static async start(options: CatalogMirrorOptions): Promise<CatalogMirror> {
    const mirror = new CatalogMirror(options)
    mirror.#applyListing(await listStore(options.store, mirror.#stopping.signal))
    mirror.#running = mirror.#follow()
    return mirror
  }

  get catalog(): CatalogReader {
    return this.#catalog
  }

  get health(): CatalogHealth {
    return this.#health
  }

  /** How long the mirror has been without the store, milliseconds; 0 while it follows it. Jumps of the wall clock do not show in it. */
  get staleMs(): number {
    return this.#staleSinceMs === undefined ? 0 : this.#clock.monotonicMs() - this.#staleSinceMs
  }

  async waitFor(revision: StoreRevision, options: { readonly signal: AbortSignal }): Promise<void> {
    if (this.#catalog.storeRevision >= revision) return
    this.#stopping.signal.throwIfAborted()
    await this.#waiters.wait(revision, options.signal)
  }

  async readLinearizable(options: { readonly signal: AbortSignal }): Promise<CatalogReader> {
    options.signal.throwIfAborted()
    const revision = await abortable(this.#currentRevision.run(), options.signal)
    if (this.#catalog.storeRevision < revision) await this.waitFor(revision, options)
    return this.#catalog
  }

  async reach(revision: StoreRevision, options: { readonly signal: AbortSignal }): Promise<boolean> {
    await this.readLinearizable(options)
    if (this.#catalog.storeRevision >= revision) return true
    const { storeRevision } = await this.#store.range({ select: { key: BOOKMARK_KEY } }, options)
    if (storeRevision < revision) return false
    await this.waitFor(await abortable(this.#bookmark.run(), options.signal), options)
    return this.#catalog.storeRevision >= revision
  }

  /** Calls `listener` after every batch. Returns how to stop that. */
  onChanges(listener: ChangeListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Gives `consumer` all keys as they are now in one batch, at once, and every batch from then on. Returns how to stop that. */
  addConsumer(consumer: MirrorConsumer): () => void {
    const events = [...this.#entries.values()].map((entry) => ({ kind: 'put', entry }) as const)
    consumer.applyBatch({ storeRevision: this.#catalog.storeRevision, events })
    this.#consumers.add(consumer)
    return () => this.#consumers.delete(consumer)
  }

  /** Ends the watch; whoever waits is rejected with `STORE_CLOSED`. What is known stays readable. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(stoppedError())
    await this.#running
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        await this.#watch()
      } catch (error) {
        if (signal.aborted) return
        this.#failures += 1
        this.#onResync(isAppError(error, 'STORE_COMPACTED') ? 'compacted' : 'failed')
        await this.#recover(error)
      }
    }
  }

  /** Runs until the watch ends. After a failure the store must answer a question first: an idle watch proves nothing. */
  async #watch(): Promise<void> {
    const { signal } = this.#stopping
    if (this.#failures > 0) await this.#store.currentRevision({ signal })
    this.#setHealth({ state: 'live' })
    const after = this.#catalog.storeRevision
    for await (const batch of this.#store.watch({ select: { prefix: STORE_PREFIX }, after, signal })) {
      this.#failures = 0
      this.#apply(batch, 'watch')
    }
    if (!signal.aborted) throw new AppError({ ...WATCH_ENDED })
  }

  async #recover(error: unknown): Promise<void> {
    try {
      if (!isAppError(error, 'STORE_COMPACTED')) throw error
      this.#applyListing(await listStore(this.#store, this.#stopping.signal))
    } catch (cause) {
      // Only the store's own failures are survivable; anything else is a defect, and a half-applied batch must not be served.
      if (!isAppError(cause)) throw cause
      this.#setStale(cause)
      await this.#pause()
    }
  }

  async #writeBookmark(): Promise<StoreRevision> {
    const { signal } = this.#stopping
    const put = { kind: 'put', key: BOOKMARK_KEY, value: '' } as const
    return (await this.#store.transact({ compares: [], mutations: [put] }, { signal })).storeRevision
  }

  async #pause(): Promise<void> {
    const { signal } = this.#stopping
    try {
      await this.#clock.sleep(backoffMs(this.#failures, this.#retry), signal)
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  #applyListing(listing: Listing): void {
    this.#apply(differenceBatch(this.#entries, listing), 'listing')
  }

  #apply(batch: WatchBatch, origin: BatchOrigin): void {
    const mirrored = { ...batch, events: batch.events.filter((event) => isMirrored(keyOf(event))) }
    for (const event of mirrored.events) {
      if (event.kind === 'put') this.#entries.set(event.entry.key, event.entry)
      else this.#entries.delete(event.key)
    }
    const changes = this.#catalog.applyBatch(mirrored)
    for (const consumer of this.#consumers) consumer.applyBatch(mirrored)
    for (const listener of this.#listeners) listener(changes, batch.storeRevision, origin)
    this.#waiters.reached(batch.storeRevision)
  }

  #setStale(error: AppError): void {
    if (this.#health.state === 'stale') return
    this.#setHealth({ state: 'stale', since: this.#clock.now(), reason: `${error.code}: ${error.message}` })
  }

  #setHealth(health: CatalogHealth): void {
    const changed = this.#health.state !== health.state
    this.#health = health
    if (changed) this.#staleSinceMs = health.state === 'stale' ? this.#clock.monotonicMs() : undefined
    if (changed) this.#onHealth(health)
  }
}

const WATCH_ENDED = {
  kind: 'unavailable',
  code: 'STORE_UNAVAILABLE',
  message: 'The store ended the watch on the config center’s keys; it is started again.',
} as const

function stoppedError(): AppError {
  return new AppError({
    kind: 'unavailable',
    code: 'STORE_CLOSED',
    message: 'This replica of the config center is stopping; ask another one.',
  })
}

function keyOf(event: WatchBatch['events'][number]): string {
  return event.kind === 'put' ? event.entry.key : event.key
}

/** Settles as `promise` does, or rejects when `signal` aborts first: one caller's haste must not end what others share. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    const settle = (finish: () => void): void => {
      signal.removeEventListener('abort', onAbort)
      finish()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    )
  })
}
