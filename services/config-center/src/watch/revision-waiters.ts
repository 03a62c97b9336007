import type { StoreRevision } from '@tributary/store'

interface Waiter {
  readonly revision: StoreRevision
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/** Callers that wait until a counter has reached a revision. */
export class RevisionWaiters {
  readonly #waiters = new Set<Waiter>()

  get size(): number {
    return this.#waiters.size
  }

  /** Resolves at the first {@link reached} with `revision` or more; rejects with the signal's reason. */
  wait(revision: StoreRevision, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason)
        return
      }
      const settle = (finish: () => void): void => {
        this.#waiters.delete(waiter)
        signal.removeEventListener('abort', onAbort)
        finish()
      }
      const onAbort = (): void => settle(() => reject(signal.reason))
      const waiter: Waiter = {
        revision,
        resolve: () => settle(resolve),
        reject: (reason) => settle(() => reject(reason)),
      }
      this.#waiters.add(waiter)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Lets everyone go on who waits for `revision` or less. */
  reached(revision: StoreRevision): void {
    for (const waiter of this.#waiters) {
      if (waiter.revision <= revision) waiter.resolve()
    }
  }

  /** Rejects everyone. */
  fail(reason: unknown): void {
    for (const waiter of this.#waiters) waiter.reject(reason)
  }
}
