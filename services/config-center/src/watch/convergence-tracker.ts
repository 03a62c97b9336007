import type { Convergence } from '@tributary/contract'
import type { ConvergenceRequest, ConvergenceWatcher } from '../ports/convergence.js'
import type { LiveCatalog } from '../ports/live-catalog.js'
import { ConvergenceRound } from './convergence-round.js'
import type { SubscriptionBook } from './subscription-book.js'

/** Waits for subscribers' reports; nothing is polled. */
export class ConvergenceTracker implements ConvergenceWatcher {
  readonly #live: LiveCatalog
  readonly #book: SubscriptionBook

  constructor(live: LiveCatalog, book: SubscriptionBook) {
    this.#live = live
    this.#book = book
  }

  async wait(request: ConvergenceRequest): Promise<Convergence> {
    request.signal.throwIfAborted()
    const deadline = new AbortController()
    const timer = setTimeout(() => deadline.abort(), request.timeoutMs)
    const onAbort = (): void => deadline.abort()
    request.signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await this.#waitUntil(deadline.signal, request)
    } finally {
      clearTimeout(timer)
      request.signal.removeEventListener('abort', onAbort)
    }
  }

  async #waitUntil(deadline: AbortSignal, request: ConvergenceRequest): Promise<Convergence> {
    const { storeRevision, tenant, signal } = request
    if (!(await this.#reaches(deadline, request))) {
      return { storeRevision: `${storeRevision}`, converged: false, affected: 0, laggards: [] }
    }
    let settle = (): void => undefined
    const settled = new Promise<void>((resolve) => (settle = resolve))
    const round = new ConvergenceRound({ book: this.#book, storeRevision, tenant, onSettled: settle })
    deadline.addEventListener('abort', settle, { once: true })
    try {
      if (!round.settled && request.timeoutMs > 0 && !deadline.aborted) await settled
      signal.throwIfAborted()
      return round.result()
    } finally {
      round.dispose()
    }
  }

  /** Whether this replica has got to the revision before the deadline; it cannot say whom it concerns before that. */
  async #reaches(deadline: AbortSignal, { storeRevision, signal }: ConvergenceRequest): Promise<boolean> {
    if (this.#live.catalog.storeRevision >= storeRevision) return true
    try {
      await this.#live.waitFor(storeRevision, { signal: deadline })
      return true
    } catch (error) {
      signal.throwIfAborted()
      if (deadline.aborted) return false
      throw error
    }
  }
}
