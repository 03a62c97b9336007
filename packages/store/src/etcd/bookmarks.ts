import { type Clock, isAppError } from '@tributary/kit'
import type { StoreRevision } from '../revisioned-store.js'
import { ETCD } from './etcd-methods.js'
import { touchHead } from './etcd-transaction.js'
import type { WatchSource } from './watch-session.js'

/** A watch as {@link Bookmarks} sees it. */
export interface WatchPosition {
  /** Everything up to here was handed over. */
  readonly position: StoreRevision
  /** True while its consumer waits. */
  readonly isIdle: boolean
  /** Makes it connect anew. */
  restart(): void
}

/** What {@link Bookmarks} needs. */
export interface BookmarksContext extends WatchSource {
  readonly clock: Clock
  readonly intervalMs: number
}

/**
 * Keeps quiet watches from falling behind. On a shared etcd the revision moves on without a change of this store, until history
 * after a watch's position is compacted away; etcd's own progress messages come only every 10 minutes, and asking for one is
 * unsafe before etcd 3.4.25 and 3.5.8: it may overtake events (etcd issue 15220). So the head is put instead, which is an event
 * like any other. Of several replicas one does it, and all have it. It also finds a stream that lost its way: one that is silent
 * about a revision of the head that has been there for a whole interval.
 */
export class Bookmarks {
  readonly #context: BookmarksContext
  readonly #watches = new Set<WatchPosition>()
  #stopping = new AbortController()
  #late = new Map<WatchPosition, StoreRevision>()

  constructor(context: BookmarksContext) {
    this.#context = context
  }

  /** Looks after `watch` until the returned function is called. */
  register(watch: WatchPosition): () => void {
    this.#watches.add(watch)
    if (this.#watches.size === 1) this.#start()
    return () => {
      this.#watches.delete(watch)
      this.#late.delete(watch)
      if (this.#watches.size === 0) this.#stopping.abort()
    }
  }

  #start(): void {
    this.#stopping = new AbortController()
    void this.#run(this.#stopping.signal)
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // Aborting only ends the sleep; the clock has no other way to fail.
      await this.#context.clock.sleep(this.#context.intervalMs, signal).catch(() => undefined)
      if (signal.aborted) return
      try {
        await this.#look(signal)
      } catch (error) {
        // The watches notice an outage by themselves, and a bookmark can wait.
        if (!isAppError(error)) throw error
      }
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { connection, keys } = this.#context
    const options = { attempt: 'look for quiet watches', repeatable: true, signal }
    const answer = await connection.unary(ETCD.range, { key: keys.head }, options)
    const head = BigInt(answer.kvs[0]?.mod_revision ?? 0)
    this.#restartLate(head)
    const revision = BigInt(answer.header.revision)
    const isQuiet = [...this.#watches].some(
      (watch) => watch.isIdle && watch.position >= head && watch.position < revision,
    )
    if (isQuiet)
      await connection.unary(ETCD.txn, touchHead(keys, head), { attempt: 'put a bookmark', repeatable: false, signal })
  }

  #restartLate(head: StoreRevision): void {
    const late = new Map<WatchPosition, StoreRevision>()
    for (const watch of this.#watches) {
      if (!watch.isIdle || watch.position >= head) continue
      if (this.#late.get(watch) === watch.position) watch.restart()
      else late.set(watch, watch.position)
    }
    this.#late = late
  }
}
