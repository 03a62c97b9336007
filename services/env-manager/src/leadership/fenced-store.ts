import type {
  Compare,
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
import { failure } from '../errors.js'

/** Which incarnation of which key stands for the right to write. */
export interface Fence {
  readonly key: string
  readonly createRevision: StoreRevision
  /** Called when a write found that the right has gone. */
  readonly onLost: () => void
}

interface CallOptions {
  readonly signal?: AbortSignal
}

/**
 * A store that writes only while one incarnation of a key exists: every transaction carries a compare on it, so that no operation
 * can forget to. A write after that fails with `NOT_LEADER`, however long its process was asleep. Reads pass.
 */
export class FencedStore implements RevisionedStore {
  readonly #store: RevisionedStore
  readonly #fence: Fence

  constructor(store: RevisionedStore, fence: Fence) {
    this.#store = store
    this.#fence = fence
  }

  currentRevision(options?: CallOptions): Promise<StoreRevision> {
    return this.#store.currentRevision(options)
  }

  range(request: RangeRequest, options?: CallOptions): Promise<RangeResult> {
    return this.#store.range(request, options)
  }

  async transact(request: TransactRequest, options?: CallOptions): Promise<TransactResult> {
    const { key, createRevision } = this.#fence
    const stillLeads: Compare = { select: { key }, target: 'createRevision', op: '=', value: createRevision }
    const result = await this.#store.transact({ ...request, compares: [stillLeads, ...request.compares] }, options)
    if (!result.succeeded) await this.#requireLeadership()
    return result
  }

  watch(request: WatchRequest): AsyncIterable<WatchBatch> {
    return this.#store.watch(request)
  }

  /** A lease without keys changes nothing. */
  grantLease(ttlMs: number): Promise<StoreLease> {
    return this.#store.grantLease(ttlMs)
  }

  async keepLeaseAlive(leaseId: string): Promise<void> {
    await this.#requireLeadership()
    await this.#store.keepLeaseAlive(leaseId)
  }

  /** @throws AppError `NOT_LEADER` always: the end of a lease deletes keys, and no compare can guard it. Delete the keys, let it end. */
  async revokeLease(leaseId: string): Promise<void> {
    throw failure('NOT_LEADER', `Lease ${leaseId} cannot be revoked under a fence; delete its keys instead`)
  }

  async compact(revision: StoreRevision): Promise<void> {
    await this.#requireLeadership()
    await this.#store.compact(revision)
  }

  /** The store belongs to whoever opened it. */
  close(): Promise<void> {
    return this.#store.close()
  }

  async #requireLeadership(): Promise<void> {
    const { key, createRevision, onLost } = this.#fence
    const { entries } = await this.#store.range({ select: { key } })
    if (entries[0]?.createRevision === createRevision) return
    onLost()
    throw failure('NOT_LEADER', 'Nothing was written: another env-manager leads now, and this one has to end')
  }
}
