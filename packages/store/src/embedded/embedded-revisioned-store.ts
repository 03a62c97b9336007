import { randomBytes } from 'node:crypto'
import type { Clock } from '@tributary/kit'
import { checkRange, checkRevision, checkTransaction, checkTtl } from '../check-request.js'
import { closedError, storeError } from '../errors.js'
import type {
  RangeRequest,
  RangeResult,
  RevisionedStore,
  StoreEntry,
  StoreLease,
  StoreRevision,
  TransactRequest,
  TransactResult,
  WatchBatch,
  WatchRequest,
} from '../revisioned-store.js'
import type { CommittedState } from './committed-state.js'
import { evaluateTransaction, leaseNotFound } from './evaluate-transaction.js'
import { GroupCommit } from './group-commit.js'
import type { HistoryTable } from './history-table.js'
import { LeaseExpiry } from './lease-expiry.js'
import { LogFolding } from './log-folding.js'
import { compactedError, watchChanges } from './watch-changes.js'

type CallOptions = { readonly signal?: AbortSignal }

/** What {@link EmbeddedRevisionedStore} is made of; {@link openEmbeddedStore} makes it. */
export interface EmbeddedStoreParts {
  readonly state: CommittedState
  readonly history: HistoryTable
  readonly clock: Clock
  readonly keepRevisions: number
  readonly onBackgroundError: (error: unknown) => void
}

/** The {@link RevisionedStore} in one file of this machine: reads and watches from memory, each write durable before its answer. */
export class EmbeddedRevisionedStore implements RevisionedStore {
  readonly #state: CommittedState
  readonly #history: HistoryTable
  readonly #commits: GroupCommit
  readonly #expiry: LeaseExpiry
  readonly #folding: LogFolding
  readonly #parts: EmbeddedStoreParts
  readonly #closing = new AbortController()
  #closed: Promise<void> | undefined
  #compactAt: StoreRevision

  constructor(parts: EmbeddedStoreParts) {
    const { state, history, clock } = parts
    this.#parts = parts
    this.#state = state
    this.#history = history
    this.#folding = new LogFolding({ clock, fold: () => history.fold(), onError: parts.onBackgroundError })
    this.#commits = new GroupCommit(state, history, (size) => this.#afterCommit(size))
    this.#expiry = new LeaseExpiry({ clock, leases: state.leases, end: (leaseId) => this.#endDueLease(leaseId) })
    this.#compactAt = state.compactedRevision + this.#compactionStep()
  }

  async currentRevision(options: CallOptions = {}): Promise<StoreRevision> {
    this.#checkUsable(options)
    return this.#state.revision
  }

  async range(request: RangeRequest, options: CallOptions = {}): Promise<RangeResult> {
    this.#checkUsable(options)
    checkRange(request)
    const limit = request.limit ?? Number.MAX_SAFE_INTEGER - 1
    const revision = request.atRevision ?? this.#state.revision
    // One entry more than asked for says whether there are more.
    const entries =
      revision === this.#state.revision
        ? this.#current(request, limit + 1)
        : await this.#past(request, revision, limit + 1)
    return { storeRevision: revision, entries: entries.slice(0, limit), more: entries.length > limit }
  }

  async transact(request: TransactRequest, options: CallOptions = {}): Promise<TransactResult> {
    this.#checkUsable(options)
    checkTransaction(request)
    return this.#commits.write((staged) => {
      if (options.signal?.aborted === true) throw canceledError(options.signal)
      return evaluateTransaction(staged, request)
    })
  }

  watch(request: WatchRequest): AsyncIterable<WatchBatch> {
    return watchChanges({ state: this.#state, history: this.#history, closing: this.#closing.signal }, request)
  }

  async grantLease(ttlMs: number): Promise<StoreLease> {
    checkTtl(ttlMs)
    const lease = { leaseId: randomBytes(8).toString('hex'), ttlMs: Math.ceil(ttlMs) }
    await this.#commits.write((staged) => staged.grantLease(lease))
    this.#expiry.rearm()
    return lease
  }

  async keepLeaseAlive(leaseId: string): Promise<void> {
    this.#checkUsable({})
    // A lease that is due ends first, so that "not found" always means that its keys are gone.
    if (this.#state.leases.isDue(leaseId)) await this.#endDueLease(leaseId)
    if (!this.#state.leases.has(leaseId)) throw leaseNotFound('keep alive', leaseId)
    this.#state.leases.restart(leaseId)
  }

  async revokeLease(leaseId: string): Promise<void> {
    await this.#commits.write((staged) => staged.endLease(leaseId))
  }

  async compact(revision: StoreRevision): Promise<void> {
    this.#checkUsable({})
    checkRevision(revision, 'compact')
    this.#checkReached(revision)
    if (revision <= this.#state.compactedRevision) return
    await this.#history.compact(revision)
    this.#state.compacted(revision)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#closing.abort()
    this.#state.wake()
    await this.#commits.close()
    await this.#expiry.stop()
    await this.#folding.stop()
    // On a full disk the log cannot be folded into the file. All is durable there, and the next open goes on from both.
    await this.#history.close().catch(this.#parts.onBackgroundError)
  }

  #current(request: RangeRequest, limit: number): StoreEntry[] {
    const entries: StoreEntry[] = []
    for (const entry of this.#state.keys.select(request.select, request.afterKey)) {
      if (entries.length >= limit) break
      entries.push(entry)
    }
    return entries
  }

  async #past(request: RangeRequest, revision: StoreRevision, limit: number): Promise<StoreEntry[]> {
    this.#checkReached(revision)
    this.#checkRetained(revision)
    const entries = await this.#history.rangeAt(request, revision, limit)
    this.#checkRetained(revision)
    return entries
  }

  #checkRetained(revision: StoreRevision): void {
    const { compactedRevision } = this.#state
    if (revision < compactedRevision) throw compactedError(revision, compactedRevision)
  }

  #checkReached(revision: StoreRevision): void {
    if (revision <= this.#state.revision) return
    throw storeError(
      'STORE_FUTURE_REVISION',
      `revision ${revision} has not been reached: the store is at ${this.#state.revision}`,
    )
  }

  #checkUsable({ signal }: CallOptions): void {
    if (this.#closing.signal.aborted) throw closedError()
    if (signal?.aborted === true) throw canceledError(signal)
  }

  #endDueLease(leaseId: string): Promise<void> {
    return this.#commits.write((staged) => {
      // It may have been kept alive while this waited for its turn.
      if (this.#state.leases.isDue(leaseId)) staged.endLease(leaseId)
    })
  }

  #compactionStep(): StoreRevision {
    // A tenth more than is kept, so that compaction is one cheap statement now and then instead of part of every write.
    return BigInt(this.#parts.keepRevisions + Math.max(1, Math.floor(this.#parts.keepRevisions / 10)))
  }

  #afterCommit(size: number): void {
    this.#folding.noteCommit(size)
    this.#compactWhenDue()
  }

  #compactWhenDue(): void {
    const { revision } = this.#state
    if (revision < this.#compactAt || this.#closing.signal.aborted) return
    const upTo = revision - BigInt(this.#parts.keepRevisions)
    this.#compactAt = upTo + this.#compactionStep()
    this.compact(upTo).catch(this.#parts.onBackgroundError)
  }
}

function canceledError(signal: AbortSignal): Error {
  return storeError('STORE_CANCELED', 'the call was aborted before it began', { cause: signal.reason })
}
