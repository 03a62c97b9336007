import { AppError } from '@tributary/kit'
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

/** A store behind a connection that a test can cut and heal. What is cut answers `STORE_UNAVAILABLE`; watches end with it. */
export class CuttableStore implements RevisionedStore {
  readonly #store: RevisionedStore
  #connection: AbortController | undefined = new AbortController()
  #stalled: Promise<void> = Promise.resolve()
  /** Times that the keys were read. */
  ranges = 0
  /** Questions for the current revision that reached the store. */
  questions = 0

  constructor(store: RevisionedStore) {
    this.#store = store
  }

  /** Lets questions for the revision hang, as a frozen server does, until the returned function is called. */
  stall(): () => void {
    let go = (): void => undefined
    this.#stalled = new Promise((resolve) => (go = resolve))
    return go
  }

  cut(): void {
    this.#connection?.abort()
    this.#connection = undefined
  }

  heal(): void {
    this.#connection ??= new AbortController()
  }

  async currentRevision(): Promise<StoreRevision> {
    this.#requireConnection()
    this.questions += 1
    await this.#stalled
    return this.#store.currentRevision()
  }

  async range(request: RangeRequest): Promise<RangeResult> {
    this.#requireConnection()
    this.ranges += 1
    return this.#store.range(request)
  }

  async transact(request: TransactRequest): Promise<TransactResult> {
    this.#requireConnection()
    return this.#store.transact(request)
  }

  async *watch(request: WatchRequest): AsyncIterable<WatchBatch> {
    const { signal } = this.#requireConnection()
    yield* this.#store.watch({ ...request, signal: AbortSignal.any([request.signal, signal]) })
    if (!request.signal.aborted) throw unavailable()
  }

  grantLease(ttlMs: number): Promise<StoreLease> {
    return this.#store.grantLease(ttlMs)
  }

  keepLeaseAlive(leaseId: string): Promise<void> {
    return this.#store.keepLeaseAlive(leaseId)
  }

  revokeLease(leaseId: string): Promise<void> {
    return this.#store.revokeLease(leaseId)
  }

  compact(revision: StoreRevision): Promise<void> {
    return this.#store.compact(revision)
  }

  async close(): Promise<void> {
    this.cut()
  }

  #requireConnection(): AbortController {
    if (this.#connection === undefined) throw unavailable()
    return this.#connection
  }
}

function unavailable(): AppError {
  return new AppError({ kind: 'unavailable', code: 'STORE_UNAVAILABLE', message: 'the connection is cut' })
}
