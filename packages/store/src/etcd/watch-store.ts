import { backoffMs, type Clock, isAppError } from '@tributary/kit'
import { checkWatch } from '../check-request.js'
import { storeError } from '../errors.js'
import type { StoreRevision, WatchBatch, WatchRequest } from '../revisioned-store.js'
import type { Bookmarks } from './bookmarks.js'
import { WatchGapError, watchSession, type WatchSource } from './watch-session.js'

/** What {@link watchStore} needs beside the source. */
export interface WatchContext extends WatchSource {
  readonly clock: Clock
  /** Aborts when the store closes. */
  readonly closing: AbortSignal
  readonly watchOutageMs: number
  readonly bookmarks: Bookmarks
}

const RECONNECT = { initialMs: 20, maxMs: 1_000 }

/**
 * Follows the store after `request.after` over any number of connections. The position is this loop's own: it moves when a batch
 * was handed over, and every disconnect, cancel or doubt makes a new stream from there. So nothing is skipped, and what comes
 * twice is dropped. Short outages pass in silence; a longer one ends the watch, so that its consumer knows to be stale.
 * @throws AppError `STORE_COMPACTED` with `details.compactedRevision`, `STORE_UNAVAILABLE` after `watchOutageMs` without a stream,
 * `STORE_ACCESS_DENIED`, `STORE_CLOSED`.
 */
export async function* watchStore(context: WatchContext, request: WatchRequest): AsyncGenerator<WatchBatch, void> {
  checkWatch(request)
  const watch = new ReconnectingWatch(context, request)
  try {
    while (!watch.isEnded()) {
      try {
        for await (const batch of watch.session()) {
          watch.moved(batch.storeRevision)
          yield batch
          watch.isIdle = true
          if (watch.isEnded()) return
        }
      } catch (error) {
        if (watch.isEnded()) return
        await watch.recover(error)
      }
    }
  } finally {
    watch.end()
  }
}

/** The position of one watch and what it knows about its connection. */
class ReconnectingWatch {
  readonly #context: WatchContext
  readonly #request: WatchRequest
  readonly #unregister: () => void
  #session = new AbortController()
  #failures = 0
  #failingSince: number | undefined
  #connectedAt: number | undefined
  #gapAt: StoreRevision | undefined
  position: StoreRevision
  /** True while the consumer waits for the next batch. */
  isIdle = true

  constructor(context: WatchContext, request: WatchRequest) {
    this.#context = context
    this.#request = request
    this.position = request.after
    this.#unregister = context.bookmarks.register(this)
    for (const signal of this.#signals()) signal.addEventListener('abort', this.#stop)
  }

  isEnded(): boolean {
    if (this.#request.signal.aborted) return true
    if (this.#context.closing.aborted) throw storeError('STORE_CLOSED', 'the watch has ended: the store was closed')
    return false
  }

  session(): AsyncIterable<WatchBatch> {
    this.#session = new AbortController()
    this.#connectedAt = undefined
    return watchSession(this.#context, {
      select: this.#request.select,
      after: this.position,
      signal: this.#session.signal,
      onCreated: () => {
        this.#connectedAt = this.#context.clock.monotonicMs()
      },
      afterGap: this.#gapAt === this.position,
    })
  }

  moved(position: StoreRevision): void {
    this.position = position
    this.#failures = 0
    this.#failingSince = undefined
    this.isIdle = false
  }

  /** Gives up the connection: it stays silent about a revision that etcd has. */
  restart(): void {
    this.#session.abort(
      storeError('STORE_UNAVAILABLE', 'could not go on watching: the stream was silent about a change'),
    )
  }

  async recover(error: unknown): Promise<void> {
    if (error instanceof WatchGapError) this.#gapAt = this.position
    else if (!isAppError(error) || !error.retryable) throw error
    const now = this.#context.clock.monotonicMs()
    // A stream that lived for a while was fine, even if nothing happened on it.
    if (this.#connectedAt !== undefined && now - this.#connectedAt >= this.#context.watchOutageMs)
      this.#failingSince = now
    this.#failingSince ??= now
    if (now - this.#failingSince >= this.#context.watchOutageMs) throw error
    this.#failures += 1
    await this.#pause()
  }

  end(): void {
    this.#unregister()
    for (const signal of this.#signals()) signal.removeEventListener('abort', this.#stop)
    this.#stop()
  }

  async #pause(): Promise<void> {
    this.#session = new AbortController()
    try {
      await this.#context.clock.sleep(backoffMs(this.#failures, RECONNECT), this.#session.signal)
    } catch (error) {
      if (!this.#session.signal.aborted) throw error
    }
  }

  readonly #stop = (): void => this.#session.abort(storeError('STORE_CANCELED', 'the watch was ended'))

  #signals(): AbortSignal[] {
    return [this.#request.signal, this.#context.closing]
  }
}
