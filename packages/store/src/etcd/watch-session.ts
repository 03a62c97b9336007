import type { IWatchRequest, IWatchResponse } from 'etcd3'
import type { ClientDuplexStream } from '@grpc/grpc-js'
import { isAppError } from '@tributary/kit'
import { storeError } from '../errors.js'
import type { StoreRevision, WatchBatch, WatchRequest } from '../revisioned-store.js'
import { checkHistory, compactedError, findCompactedRevision } from './compaction.js'
import { endStream, type EtcdConnection } from './etcd-connection.js'
import { canceledWatchError, toStoreError } from './etcd-errors.js'
import { ETCD } from './etcd-methods.js'
import type { EtcdValues } from './etcd-values.js'
import type { KeySpace } from './key-space.js'
import { RevisionAssembler, type RawRevision } from './revision-assembler.js'
import { batchOf, continuityOf } from './watch-batches.js'

/** What a watch reads from. */
export interface WatchSource {
  readonly connection: EtcdConnection
  readonly keys: KeySpace
  readonly values: EtcdValues
  readonly callTimeoutMs: number
}

/** One watch stream, from a position until it breaks. */
export interface SessionOptions {
  readonly select: WatchRequest['select']
  readonly after: StoreRevision
  /** Ends the session; the reason is thrown. */
  readonly signal: AbortSignal
  /** Told when etcd has accepted the watch. */
  readonly onCreated: () => void
  /** True when the same position met a gap before: it is then reported as lost history instead of tried again. */
  readonly afterGap: boolean
}

/** A transaction was not delivered: the stream is given up, and the position asked for again. */
export class WatchGapError extends Error {}

/**
 * Streams batches after a position until the stream breaks, which is always an error: the caller goes on from its own position.
 * etcd watches the whole store, and the selector is applied here: each revision of the store then moves every watch on.
 *
 * | response | what it means here |
 * | --- | --- |
 * | created | `onCreated`; from now on a silent stream is a quiet store |
 * | events | whole revisions, checked for gaps |
 * | no events | progress: everything up to the header's revision was sent before it (only asked from synced watches) |
 * | canceled | compacted, or refused |
 */
export async function* watchSession(source: WatchSource, options: SessionOptions): AsyncGenerator<WatchBatch, never> {
  const stream = await openWatch(source, options)
  const stop = (): void => endStream(stream)
  options.signal.addEventListener('abort', stop, { once: true })
  try {
    if (options.signal.aborted) throw options.signal.reason
    yield* readBatches(source, { ...options, stream })
  } catch (error) {
    throw await explained(source, error)
  } finally {
    options.signal.removeEventListener('abort', stop)
    stop()
  }
  throw storeError('STORE_UNAVAILABLE', 'could not go on watching: etcd ended the stream')
}

/** Of a revision under a data key that another process has made, nothing was handed over: it is read again, with that key. */
async function explained({ values }: WatchSource, error: unknown): Promise<Error> {
  if (!isAppError(error, 'STORE_KEY_UNKNOWN')) return toStoreError(error, 'watch')
  await values.refresh()
  return storeError('STORE_UNAVAILABLE', 'could not go on watching: a data key is new here', { cause: error })
}

type WatchStream = ClientDuplexStream<IWatchRequest, IWatchResponse>

async function openWatch({ connection, keys }: WatchSource, { after }: SessionOptions): Promise<WatchStream> {
  const stream = await connection.stream(ETCD.watch)
  const create = { ...keys.everything, start_revision: String(after + 1n), prev_kv: true, progress_notify: true }
  stream.write({ create_request: { ...create, fragment: true } })
  return stream
}

async function* readBatches(
  source: WatchSource,
  options: SessionOptions & { readonly stream: WatchStream },
): AsyncGenerator<WatchBatch, void> {
  const assembler = new RevisionAssembler()
  let position = options.after
  let replayedUpTo = 0n
  // A member may take the connection and then say nothing; pings do not show that.
  const unanswered = setTimeout(() => options.stream.cancel(), source.callTimeoutMs)
  try {
    for await (const response of responsesOf(options.stream)) {
      clearTimeout(unanswered)
      if (response.canceled) throw await canceled(source, response)
      if (response.created) {
        replayedUpTo = BigInt(response.header.revision)
        options.onCreated()
      }
      // At once, because a replay of nothing but lost deletes is silence; and again, because compaction may come in between.
      if (position < replayedUpTo) await checkHistory(source, position)
      if (response.created) continue
      for (const batch of batchesOf(source, { response, assembler, position, options })) {
        if (batch === 'compacted') throw compactedError(await findCompactedRevision(source))
        position = batch.storeRevision
        yield batch
      }
    }
  } finally {
    clearTimeout(unanswered)
  }
}

interface Received {
  readonly response: IWatchResponse
  readonly assembler: RevisionAssembler
  readonly position: StoreRevision
  readonly options: SessionOptions
}

/** The batches of one response. Revisions without a selected change become one bookmark, at the end of the response. */
function batchesOf(
  { keys }: WatchSource,
  { response, assembler, position, options }: Received,
): (WatchBatch | 'compacted')[] {
  const batches: (WatchBatch | 'compacted')[] = []
  let reached = position
  let bookmark: WatchBatch | undefined
  for (const raw of revisionsOf(response, assembler)) {
    if (raw.revision <= reached) continue
    const continuity = continuityOf(keys, raw, reached)
    if (continuity === 'gap' && !options.afterGap)
      throw new WatchGapError(`a transaction before ${raw.revision} is missing`)
    if (continuity !== 'whole') return [...batches, 'compacted']
    reached = raw.revision
    const batch = batchOf(keys, raw, options.select)
    bookmark = batch.events.length === 0 ? batch : undefined
    if (batch.events.length > 0) batches.push(batch)
  }
  return bookmark === undefined ? batches : [...batches, bookmark]
}

/** Progress is a revision without events. Between fragments it would be a lie, though etcd never sends it there. */
function revisionsOf(response: IWatchResponse, assembler: RevisionAssembler): RawRevision[] {
  if (response.events.length > 0) return assembler.push(response)
  return assembler.isPartial ? [] : [{ revision: BigInt(response.header.revision), events: [] }]
}

async function canceled(source: WatchSource, response: IWatchResponse): Promise<Error> {
  if (response.compact_revision !== '0') return compactedError(BigInt(response.compact_revision))
  const error = canceledWatchError(response.cancel_reason)
  if (error.code !== 'STORE_ACCESS_DENIED') return error
  // etcd calls an expired token "permission denied" here. A read of the same keys tells the two apart, and gets a new token when it was that.
  const request = { ...source.keys.everything, limit: '1', keys_only: true }
  await source.connection.unary(ETCD.range, request, { attempt: 'watch', repeatable: true })
  return storeError('STORE_UNAVAILABLE', 'could not watch: the token had expired')
}

/** Reads at the consumer's pace: what is not read yet stays in etcd, behind the flow control of the stream. */
function responsesOf(stream: WatchStream): AsyncIterable<IWatchResponse> {
  return stream as AsyncIterable<IWatchResponse>
}
