import {
  DeltaFrame,
  HeartbeatFrame,
  HelloFrame,
  ResumedFrame,
  SnapshotFrame,
  type StreamEventName,
  type StreamFrames,
} from '@tributary/contract'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { SseEvent } from '@tributary/kit'

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

// The members are checked, further members are allowed: an SDK is often older than the server that it talks to.
const hello = Compile(Type.Object(HelloFrame.properties))
const snapshot = Compile(Type.Object(SnapshotFrame.properties))
const delta = Compile(Type.Object(DeltaFrame.properties))
const resumed = Compile(Type.Object(ResumedFrame.properties))
const heartbeat = Compile(Type.Object(HeartbeatFrame.properties))
const goodbye = Compile(Type.Object({ reason: Type.String(), reconnectWindowMs: Type.Integer() }))

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
      return hello.Check(data) ? { event, data } : undefined
    case 'view.snapshot':
    case 'routes.snapshot':
      return snapshot.Check(data) ? { event, data } : undefined
    case 'view.delta':
    case 'routes.delta':
      return delta.Check(data) ? { event, data } : undefined
    case 'view.resumed':
    case 'routes.resumed':
      return resumed.Check(data) ? { event, data } : undefined
    case 'heartbeat':
      return heartbeat.Check(data) ? { event, data } : undefined
    case 'goodbye':
      return goodbye.Check(data) ? { event, data } : undefined
  }
}
