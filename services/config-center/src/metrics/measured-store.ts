import { isAppError } from '@tributary/kit'
import type {
  RangeRequest,
  RangeResult,
  RevisionedStore,
  StoreLease,
  StoreRevision,
  TransactRequest,
  TransactResult,
  WatchBatch,
  WatchRequest,
} from '@tributary/store'
import type { StoreOperation } from './replica-metrics.js'

/** Told how calls of the store go. */
export interface StoreObserver {
  noteStoreAnswer(operation: StoreOperation, seconds: number): void
  noteStoreError(operation: StoreOperation, code: string): void
}

/** The codes that a caller brings about by its own request or its own signal say nothing about the store. */
const OWN_DOING = new Set(['STORE_CANCELED', 'STORE_CLOSED'])

type Signal = { readonly signal?: AbortSignal }

/** The same store; its answers and failures are told to an observer. */
export class MeasuredStore implements RevisionedStore {
  readonly #store: RevisionedStore
  readonly #observer: StoreObserver

  constructor(store: RevisionedStore, observer: StoreObserver) {
    this.#store = store
    this.#observer = observer
  }

  currentRevision(options?: Signal): Promise<StoreRevision> {
    return this.#measure('currentRevision', () => this.#store.currentRevision(options))
  }

  range(request: RangeRequest, options?: Signal): Promise<RangeResult> {
    return this.#measure('range', () => this.#store.range(request, options))
  }

  transact(request: TransactRequest, options?: Signal): Promise<TransactResult> {
    return this.#measure('transact', () => this.#store.transact(request, options))
  }

  async *watch(request: WatchRequest): AsyncGenerator<WatchBatch> {
    try {
      yield* this.#store.watch(request)
    } catch (error) {
      this.#noteError('watch', error)
      throw error
    }
  }

  grantLease(ttlMs: number): Promise<StoreLease> {
    return this.#measure('grantLease', () => this.#store.grantLease(ttlMs))
  }

  keepLeaseAlive(leaseId: string): Promise<void> {
    return this.#measure('keepLeaseAlive', () => this.#store.keepLeaseAlive(leaseId))
  }

  revokeLease(leaseId: string): Promise<void> {
    return this.#measure('revokeLease', () => this.#store.revokeLease(leaseId))
  }

  compact(revision: StoreRevision): Promise<void> {
    return this.#measure('compact', () => this.#store.compact(revision))
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  async #measure<T>(operation: StoreOperation, call: () => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    try {
      const answer = await call()
      this.#observer.noteStoreAnswer(operation, (performance.now() - startedAt) / 1_000)
      return answer
    } catch (error) {
      this.#noteError(operation, error)
      throw error
    }
  }

  #noteError(operation: StoreOperation, error: unknown): void {
    const code = isAppError(error) ? error.code : 'OTHER'
    if (!OWN_DOING.has(code)) this.#observer.noteStoreError(operation, code)
  }
}
