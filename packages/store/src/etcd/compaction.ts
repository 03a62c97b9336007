import { isAppError } from '@tributary/kit'
import { storeError } from '../errors.js'
import type { StoreRevision } from '../revisioned-store.js'
import { endStream } from './etcd-connection.js'
import { toStoreError } from './etcd-errors.js'
import { ETCD } from './etcd-methods.js'
import type { WatchSource } from './watch-session.js'

/** The error for a watch whose next revision is gone. */
export function compactedError(compactedRevision: StoreRevision): Error {
  return storeError(
    'STORE_COMPACTED',
    `could not watch: the history up to ${compactedRevision} is compacted; range again and go on from there`,
    { details: { compactedRevision: String(compactedRevision) } },
  )
}

/**
 * Proves that the history after `position` is whole. etcd replays from the compacted revision itself although its deletes are
 * gone by then (etcd issue 18089), so that only a position at or above it is safe.
 * @throws AppError `STORE_COMPACTED` with `details.compactedRevision`.
 */
export async function checkHistory(source: WatchSource, position: StoreRevision): Promise<void> {
  // Revision 0 means "now" to etcd; nothing lies between it and the first one.
  if (position === 0n) return
  try {
    const request = { key: source.keys.head, revision: String(position), count_only: true }
    await source.connection.unary(ETCD.range, request, { attempt: 'check the history of a watch', repeatable: true })
  } catch (error) {
    if (!isAppError(error, 'STORE_COMPACTED')) throw error
    throw compactedError(await findCompactedRevision(source))
  }
}

/**
 * The revision up to which history is gone. Only a refused watch tells it, so one is asked for from the very beginning.
 * @throws AppError `STORE_UNAVAILABLE`: etcd did not refuse it.
 */
export async function findCompactedRevision({ connection, keys, callTimeoutMs }: WatchSource): Promise<StoreRevision> {
  const stream = await connection.stream(ETCD.watch, { deadline: Date.now() + callTimeoutMs })
  try {
    stream.write({ create_request: { key: keys.head, start_revision: '1' } })
    for await (const response of stream) {
      if (response.canceled && response.compact_revision !== '0') return BigInt(response.compact_revision)
    }
  } catch (error) {
    throw toStoreError(error, 'ask for the compacted revision')
  } finally {
    endStream(stream)
  }
  throw storeError('STORE_UNAVAILABLE', 'could not ask for the compacted revision: etcd ended the stream')
}
