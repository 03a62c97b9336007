import { closedError } from '../errors.js'
import type { CommittedState } from './committed-state.js'
import type { HistoryTable } from './history-table.js'
import { StagedChanges } from './staged-changes.js'

const MAX_GROUP_JOBS = 256
const MAX_GROUP_SIZE = 4 * 1024 * 1024

interface Job {
  /** Stages the job's changes and answers what tells its caller, once they are durable. */
  readonly stage: (staged: StagedChanges) => () => void
  readonly fail: (error: unknown) => void
}

/**
 * Turns writes into durable revisions. Writes that arrive while a commit is under way share the next one, and so its fsync; each
 * gets its own revision, and none is answered before the fsync. After a failed commit memory is brought in line with the file
 * before the next write: whether the failed one is on disk is then known, and watchers see it if it is.
 */
export class GroupCommit {
  readonly #state: CommittedState
  readonly #history: HistoryTable
  readonly #committed: (size: number) => void
  #queue: Job[] = []
  #draining: Promise<void> | undefined
  #mustResync = false
  #closed = false

  /** @param committed called after every commit that changed something, with the characters of the values that it wrote. */
  constructor(state: CommittedState, history: HistoryTable, committed: (size: number) => void) {
    this.#state = state
    this.#history = history
    this.#committed = committed
  }

  /** Runs `evaluate` on the state that all earlier writes leave; answers its result, or its error, once that state is durable. */
  write<T>(evaluate: (staged: StagedChanges) => T): Promise<T> {
    if (this.#closed) return Promise.reject(closedError())
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ stage: (staged) => outcome(() => evaluate(staged), resolve, reject), fail: reject })
      this.#draining ??= this.#drain()
    })
  }

  /** Refuses further writes and those that have not begun; resolves when the commit under way is done. */
  async close(): Promise<void> {
    this.#closed = true
    const abandoned = this.#queue
    this.#queue = []
    for (const job of abandoned) job.fail(closedError())
    await this.#draining
  }

  async #drain(): Promise<void> {
    // One turn of the microtask queue, so that writes of the same tick share the first commit.
    await Promise.resolve()
    while (this.#queue.length > 0) await this.#commitGroup()
    this.#draining = undefined
  }

  async #commitGroup(): Promise<void> {
    if (this.#mustResync && !(await this.#tryResync())) return
    const staged = new StagedChanges(this.#state)
    const group: Job[] = []
    const settle: (() => void)[] = []
    for (let job = this.#next(staged, group); job !== undefined; job = this.#next(staged, group)) {
      group.push(job)
      settle.push(job.stage(staged))
    }
    if (await this.#persist(staged, group)) for (const tell of settle) tell()
  }

  #next(staged: StagedChanges, group: readonly Job[]): Job | undefined {
    return group.length < MAX_GROUP_JOBS && staged.size < MAX_GROUP_SIZE ? this.#queue.shift() : undefined
  }

  /** False when the commit failed; the whole group has been told. */
  async #persist(staged: StagedChanges, group: readonly Job[]): Promise<boolean> {
    if (staged.isEmpty) return true
    const { revision, batches, leaseChanges } = staged
    try {
      await this.#history.commit({ revision, batches, leaseChanges })
    } catch (error) {
      this.#mustResync = true
      await this.#tryResync()
      for (const job of group) job.fail(error)
      return false
    }
    this.#state.apply(batches, leaseChanges)
    this.#committed(staged.size)
    return true
  }

  /** Brings memory in line with the file; when even that fails, all waiting writes are told and the next write tries again. */
  async #tryResync(): Promise<boolean> {
    try {
      await this.#history.rollBack()
      const { revision } = await this.#history.position()
      const missed = await this.#history.replay(this.#state.revision, revision)
      this.#state.leases.replaceAll(await this.#history.leases())
      this.#state.apply(missed, [])
      this.#mustResync = false
      return true
    } catch (error) {
      for (const job of this.#queue.splice(0)) job.fail(error)
      return false
    }
  }
}

function outcome<T>(evaluate: () => T, resolve: (value: T) => void, reject: (error: unknown) => void): () => void {
  try {
    const value = evaluate()
    return () => resolve(value)
  } catch (error) {
    return () => reject(error)
  }
}
