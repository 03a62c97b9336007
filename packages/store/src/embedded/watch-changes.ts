import { checkWatch } from '../check-request.js'
import { storeError } from '../errors.js'
import { selects } from '../key-selector.js'
import type { StoreRevision, WatchBatch, WatchRequest } from '../revisioned-store.js'
import type { CommittedState } from './committed-state.js'
import type { HistoryTable } from './history-table.js'
import { eventKey } from './staged-changes.js'

/** Revisions read from the file at a time when a watcher is behind the memory window: bounds what one watcher holds. */
const REPLAY_REVISIONS = 32n

/** What a watch reads from. */
export interface WatchSource {
  readonly state: CommittedState
  readonly history: HistoryTable
  /** Aborts when the store closes. */
  readonly closing: AbortSignal
}

/**
 * Follows the revisions after `request.after`. A watcher is a position, not a queue: it holds at most one page of batches,
 * however slow its consumer is, and falls behind compaction at worst. After revisions that changed nothing under the selector it
 * gets one bookmark with the newest of them.
 * @throws AppError `STORE_COMPACTED` with `details.compactedRevision`; `STORE_CLOSED` when the store is closed.
 */
export async function* watchChanges(source: WatchSource, request: WatchRequest): AsyncGenerator<WatchBatch, void> {
  checkWatch(request)
  const wakeUp = new WakeUp(source, request.signal)
  try {
    let position = request.after
    while (!isEnded(source, request)) {
      if (position >= source.state.revision) {
        await wakeUp.next()
        continue
      }
      for (const batch of await nextBatches(source, request, position)) {
        if (isEnded(source, request)) return
        position = batch.storeRevision
        yield batch
      }
    }
  } finally {
    wakeUp.stop()
  }
}

function isEnded({ closing }: WatchSource, { signal }: WatchRequest): boolean {
  if (signal.aborted) return true
  if (closing.aborted) throw storeError('STORE_CLOSED', 'the watch has ended: the store was closed')
  return false
}

/** At least one batch; the last one may be a bookmark. */
function nextBatches(
  source: WatchSource,
  request: WatchRequest,
  after: StoreRevision,
): Promise<WatchBatch[]> | WatchBatch[] {
  const { state } = source
  if (after < state.compactedRevision) throw compactedError(after, state.compactedRevision)
  return after < state.recent.after ? replayed(source, request, after) : [nextRecent(state, request, after)]
}

function nextRecent(state: CommittedState, request: WatchRequest, after: StoreRevision): WatchBatch {
  for (let revision = after + 1n; revision <= state.revision; revision++) {
    const batch = state.recent.at(revision)
    const selected = batch === undefined ? undefined : selectedBatch(batch, request)
    if (selected !== undefined) return selected
  }
  return { storeRevision: state.revision, events: [] }
}

async function replayed(source: WatchSource, request: WatchRequest, after: StoreRevision): Promise<WatchBatch[]> {
  const { state, history } = source
  const upTo = smaller(after + REPLAY_REVISIONS, state.revision)
  const batches = await history.replay(after, upTo)
  // Compaction may have run before the read did; what was read is then not whole.
  if (after < state.compactedRevision) throw compactedError(after, state.compactedRevision)
  const selected = batches.flatMap((batch) => selectedBatch(batch, request) ?? [])
  return selected.at(-1)?.storeRevision === upTo ? selected : [...selected, { storeRevision: upTo, events: [] }]
}

function selectedBatch(batch: WatchBatch, { select }: WatchRequest): WatchBatch | undefined {
  if ('prefix' in select && select.prefix === '') return batch
  const events = batch.events.filter((event) => selects(select, eventKey(event)))
  return events.length === 0 ? undefined : { storeRevision: batch.storeRevision, events }
}

function smaller(left: StoreRevision, right: StoreRevision): StoreRevision {
  return left < right ? left : right
}

/** The error for a revision below the retained history. */
export function compactedError(revision: StoreRevision, compactedRevision: StoreRevision): Error {
  return storeError(
    'STORE_COMPACTED',
    `revision ${revision} is older than the retained history, which begins after ${compactedRevision}; range again and go on from there`,
    { details: { compactedRevision: String(compactedRevision) } },
  )
}

/** Lets one watcher wait for the next change, the abort of its signal or the end of the store. */
class WakeUp {
  readonly #signal: AbortSignal
  readonly #stopListening: () => void
  readonly #wake = (): void => this.#resolve()
  #resolve: () => void = () => undefined

  constructor(source: WatchSource, signal: AbortSignal) {
    this.#signal = signal
    this.#stopListening = source.state.listen(this.#wake)
    signal.addEventListener('abort', this.#wake)
  }

  /** Call it right after a look at the state: what happens between the look and the call cannot be missed then. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  stop(): void {
    this.#stopListening()
    this.#signal.removeEventListener('abort', this.#wake)
  }
}
