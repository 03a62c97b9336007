import type { StreamEventName, StreamFrames } from '@tributary/contract'
import type { SseEvent } from '@tributary/kit'
import { frames } from '../wire/wire-guards.js'

/** `goodbye` as an older client must read it: a reason that it does not know is still a goodbye. */
export interface LenientGoodbye {
  readonly reason: string
  readonly reconnectWindowMs: number
}

/** A frame of the stream, told apart by `event`. */
export type Frame =
  | {
      readonly [E in Exclude<StreamEventName, 'goodbye'>]: { readonly event: E; readonly data: StreamFrames[E] }
    }[Exclude<StreamEventName, 'goodbye'>]
  | { readonly event: 'goodbye'; readonly data: LenientGoodbye }

/** The frame of an SSE event; undefined for an event name of a newer server. @throws FrameError when it is damaged. */
export function parseFrame(event: SseEvent): Frame | undefined {
  const name = event.event
  if (!isKnown(name)) return undefined
  const frame = checkFrame(name, parseJson(event))
  if (frame === undefined) throw new FrameError(`the frame ${name} does not have the members that it must have`)
  return frame
}

/** A frame that is not what the contract says. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
}

const KNOWN: ReadonlySet<string> = new Set<StreamEventName>([
  'hello',
  'view.snapshot',
  'view.delta',
  'view.resumed',
  'routes.snapshot',
  'routes.delta',
  'routes.resumed',
  'heartbeat',
  'goodbye',
])

function isKnown(name: string): name is StreamEventName {
  return KNOWN.has(name)
}

function parseJson(event: SseEvent): unknown {
  try {
    return JSON.parse(event.data)
  } catch (cause) {
    throw new FrameError(`the data of the frame ${event.event} is not JSON`, { cause })
  }
}

function checkFrame(event: StreamEventName, data: unknown): Frame | undefined {
  switch (event) {
    case 'hello':
      return frames.hello(data) ? { event, data } : undefined
    case 'view.snapshot':
    case 'routes.snapshot':
      return frames.snapshot(data) ? { event, data } : undefined
    case 'view.delta':
    case 'routes.delta':
      return frames.delta(data) ? { event, data } : undefined
    case 'view.resumed':
    case 'routes.resumed':
      return frames.resumed(data) ? { event, data } : undefined
    case 'heartbeat':
      return frames.heartbeat(data) ? { event, data } : undefined
    case 'goodbye':
      return frames.goodbye(data) ? { event, data } : undefined
  }
}
