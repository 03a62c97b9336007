import { isAppError } from '@tributary/kit'
import type { IRangeRequest } from 'etcd3'
import { checkRange, checkRevision, checkTransaction, checkTtl } from '../check-request.js'
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
} from '../revisioned-store.js'
import { storeError } from '../errors.js'
import { Bookmarks } from './bookmarks.js'
import type { EtcdConnection } from './etcd-connection.js'
import { grantLease, keepLeaseAlive, revokeLease } from './etcd-leases.js'
import { ETCD } from './etcd-methods.js'
import type { ResolvedEtcdOptions } from './etcd-options.js'
import { changedSomething, etcdTransaction, revisionAfter, touchHead } from './etcd-transaction.js'
import { decoding, type EtcdValues } from './etcd-values.js'
import { KeySpace } from './key-space.js'
import { type WatchContext, watchStore } from './watch-store.js'

interface CallOptions {
  readonly signal?: AbortSignal
}

/** What {@link EtcdRevisionedStore} is made of. */
export interface EtcdStoreParts {
  readonly connection: EtcdConnection
  readonly values: EtcdValues
}

/** The {@link RevisionedStore} below a prefix of an etcd cluster, shared by any number of processes. {@link openEtcdStore} makes it. */
export class EtcdRevisionedStore implements RevisionedStore {
  readonly #connection: EtcdConnection
  readonly #keys: KeySpace
  readonly #values: EtcdValues
  readonly #watch: WatchContext
  readonly #callTimeoutMs: number

  constructor({ connection, values }: EtcdStoreParts, options: ResolvedEtcdOptions) {
    const { callTimeoutMs, clock, watchOutageMs, bookmarkIntervalMs } = options
    this.#connection = connection
    this.#values = values
    this.#keys = new KeySpace(options.prefix, values.codec)
    this.#callTimeoutMs = callTimeoutMs
    const source = { connection, keys: this.#keys, values, callTimeoutMs }
    const bookmarks = new Bookmarks({ ...source, clock, intervalMs: bookmarkIntervalMs })
    this.#watch = { ...source, clock, closing: connection.closing, watchOutageMs, bookmarks }
  }

  /** The revision of this store's last transaction. etcd's own may be higher: others write there too, and leases end by themselves. */
  async currentRevision(options: CallOptions = {}): Promise<StoreRevision> {
    const call = { attempt: 'read the revision', repeatable: true, signal: options.signal }
    const answer = await this.#connection.unary(ETCD.range, { key: this.#keys.head }, call)
    return BigInt(answer.kvs[0]?.mod_revision ?? answer.header.revision)
  }

  async range(request: RangeRequest, options: CallOptions = {}): Promise<RangeResult> {
    checkRange(request)
    if (request.atRevision === 0n) return { storeRevision: 0n, entries: [], more: false }
    const call = { attempt: 'range', repeatable: true, signal: options.signal }
    const answer = await this.#connection.unary(ETCD.range, this.#rangeRequest(request), call)
    return {
      storeRevision: request.atRevision ?? BigInt(answer.header.revision),
      entries: await decoding(this.#values, () => answer.kvs.map((kv) => this.#keys.entryOf(kv))),
      more: answer.more,
    }
  }

  async transact(request: TransactRequest, options: CallOptions = {}): Promise<TransactResult> {
    this.#checkOpen()
    checkTransaction(request)
    const transaction = etcdTransaction(this.#keys, request)
    const call = { attempt: 'write a transaction', repeatable: false, signal: options.signal }
    const answer = await this.#connection.unary(ETCD.txn, transaction.request, call)
    if (!answer.succeeded || !transaction.touchHeadAfter) {
      return { succeeded: answer.succeeded, storeRevision: revisionAfter(answer) }
    }
    if (!changedSomething(answer)) return { succeeded: true, storeRevision: await this.currentRevision() }
    // Before the answer: from then on a read of the revision must count this transaction.
    await this.#connection.unary(ETCD.txn, touchHead(this.#keys), call)
    return { succeeded: true, storeRevision: revisionAfter(answer) }
  }

  watch(request: WatchRequest): AsyncIterable<WatchBatch> {
    return watchStore(this.#watch, request)
  }

  async grantLease(ttlMs: number): Promise<StoreLease> {
    checkTtl(ttlMs)
    return grantLease(this.#leases(), ttlMs)
  }

  async keepLeaseAlive(leaseId: string): Promise<void> {
    this.#checkOpen()
    await keepLeaseAlive(this.#leases(), leaseId)
  }

  async revokeLease(leaseId: string): Promise<void> {
    this.#checkOpen()
    try {
      await revokeLease(this.#leases(), leaseId)
    } catch (error) {
      if (!isAppError(error, 'STORE_LEASE_NOT_FOUND')) throw error
    }
  }

  /** Compacts the whole etcd, that is, the history of every store in it. */
  async compact(revision: StoreRevision): Promise<void> {
    this.#checkOpen()
    checkRevision(revision, 'compact')
    try {
      const call = { attempt: `compact up to ${revision}`, repeatable: false }
      await this.#connection.unary(ETCD.compact, { revision: String(revision) }, call)
    } catch (error) {
      // It is compacted that far already.
      if (!isAppError(error, 'STORE_COMPACTED')) throw error
    }
  }

  async close(): Promise<void> {
    this.#connection.close()
  }

  #rangeRequest({ select, atRevision, limit, afterKey }: RangeRequest): IRangeRequest {
    return {
      ...(afterKey === undefined ? this.#keys.intervalOf(select) : this.#keys.intervalAfter(select, afterKey)),
      ...(limit === undefined ? {} : { limit: String(limit) }),
      ...(atRevision === undefined ? {} : { revision: String(atRevision) }),
    }
  }

  #leases() {
    return { connection: this.#connection, keys: this.#keys, callTimeoutMs: this.#callTimeoutMs }
  }

  #checkOpen(): void {
    if (this.#connection.closing.aborted) throw storeError('STORE_CLOSED', 'could not use the store: it was closed')
  }
}
