import type { DeltaFrame } from '@tributary/contract'
import type { LoggedDelta } from './delta-log.js'
import { Frame } from './frame.js'

/**
 * One delta that does what consecutive deltas of one channel do one after the other: from where the first begins to where the last
 * ends, each key once with its last value.
 *
 * The deltas are parsed again for it: a receiver that lags is rare, and values kept for it would double the memory of the history.
 */
export function netDelta(deltas: readonly [LoggedDelta, ...LoggedDelta[]]): Frame {
  const [first] = deltas
  const last = deltas.at(-1) ?? first
  if (first === last) return first.frame
  const changes = new Map<string, unknown>()
  const frames = deltas.map(({ frame }) => JSON.parse(frame.data) as DeltaFrame)
  for (const { key, value } of frames.flatMap((frame) => frame.changes)) changes.set(key, value)
  const data: DeltaFrame = {
    from: frames[0]?.from ?? '',
    to: `${last.to}`,
    hash: last.hash,
    changes: [...changes].map(([key, value]) => ({ key, value })),
  }
  return new Frame(first.frame.event, JSON.stringify(data), last.to)
}
