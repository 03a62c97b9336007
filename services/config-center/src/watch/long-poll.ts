import type { LiveCatalog } from '../ports/live-catalog.js'
import type { Frame } from './frame.js'
import { PollConnection } from './poll-connection.js'
import type { SubscribeRequest } from './stream-hub-options.js'
import type { StreamHub } from './stream-hub.js'

/** What one poll asks for. `timeoutMs` 0 answers at once. `signal`: the client has gone. */
export interface LongPollRequest {
  readonly subscribe: Omit<SubscribeRequest, 'kind'>
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/**
 * JSON text of a `PollResult`: at once when the caller has missed something, else as soon as something changes, else empty at
 * the deadline. Its `storeRevision` is a cursor: everything up to it is in the answer. Rejects as `StreamHub.subscribe` does.
 */
export async function longPoll(hub: StreamHub, live: LiveCatalog, request: LongPollRequest): Promise<string> {
  let finish = (): void => undefined
  const finished = new Promise<void>((resolve) => (finish = resolve))
  const connection = new PollConnection(finish)
  const subscriber = hub.subscribe({ ...request.subscribe, kind: 'poll' }, connection)
  const timer = setTimeout(finish, request.timeoutMs)
  request.signal.addEventListener('abort', finish, { once: true })
  try {
    subscriber.flush()
    if (!request.signal.aborted) await finished
    // Frames of this very turn are still queued; the cursor below claims them.
    subscriber.flush()
    return pollText(live.catalog.storeRevision, connection.frames)
  } finally {
    clearTimeout(timer)
    request.signal.removeEventListener('abort', finish)
    hub.leave(subscriber)
  }
}

function pollText(storeRevision: bigint, frames: readonly Frame[]): string {
  const list = frames.map(({ event, data }) => `{"event":"${event}","data":${data}}`).join(',')
  return `{"storeRevision":"${storeRevision}","frames":[${list}]}`
}
