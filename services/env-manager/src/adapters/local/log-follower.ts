import type { Clock } from '@tributary/kit'
import { failure } from '../../errors.js'
import type { WorkloadLogLine } from '../../ports/platform.js'
import { LineSplitter } from './line-splitter.js'
import type { OutputLog } from './output-log.js'

const POLL_MS = 150

/** How a service's output is read. */
export interface FollowOptions {
  readonly tailLines: number
  readonly follow: boolean
  readonly signal: AbortSignal
  readonly clock: Clock
  /** The log of the service's newest copy now; undefined when it has none any more, which ends the reading. */
  readonly newest: () => OutputLog | undefined
  /** The log that the last retired copy left; read when there is no copy. */
  readonly retired: () => Promise<OutputLog | undefined>
  /** Names the service in the error. */
  readonly what: string
}

/**
 * The last lines of a log and, with `follow`, new ones; goes over to a newer copy's log when there is one.
 * @throws AppError `PLATFORM_WORKLOAD_NOT_FOUND` at the first read when the service never ran here.
 */
export async function* followLog(options: FollowOptions): AsyncGenerator<WorkloadLogLine> {
  let log = options.newest() ?? (await options.retired())
  if (log === undefined)
    throw failure('PLATFORM_WORKLOAD_NOT_FOUND', `there is no log of ${options.what}: it has not run there`)
  const tail = await log.tail(options.tailLines)
  yield* toLines(tail.lines, options)
  let position = tail.next
  let splitter = new LineSplitter()
  while (options.follow && !options.signal.aborted) {
    const chunk = await log.read(position)
    position = chunk.next
    yield* toLines(splitter.push(chunk.bytes), options)
    if (chunk.bytes.length > 0) continue
    const newest = options.newest()
    if (newest !== log) {
      yield* toLines(splitter.end(), options)
      if (newest === undefined) return
      log = newest
      position = 0
      splitter = new LineSplitter()
    } else {
      await options.clock.sleep(POLL_MS, options.signal).catch(() => undefined)
    }
  }
}

function toLines(texts: readonly string[], options: FollowOptions): WorkloadLogLine[] {
  return texts.map((text) => ({ at: options.clock.now(), text }))
}
