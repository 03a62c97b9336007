import type { HelloFrame, StreamChannel } from '@tributary/contract'
import { STREAM_CHANNELS } from '@tributary/contract/light'
import type { Diagnostics } from '../diagnostics.js'
import type { ChannelOutcome } from './channel.js'
import type { Frame, LenientGoodbye } from './frames.js'
import { channelOf, type ChannelFrame, type Replica } from './replica.js'
import type { StreamEnd } from './stream-end.js'

/** What a session tells its owner, synchronously and in the order of the frames. */
export interface SessionEvents {
  /** The connection is known to the server under this subscription. */
  onHello(hello: HelloFrame): void
  /** The values of these keys may differ now. */
  onChanged(channel: StreamChannel, keys: readonly string[]): void
  /** The replica has reached a further revision by a frame of a channel. */
  onProgress(): void
  /** Both channels are in step with the server; told once for each connection. */
  onInStep(): void
}

/** Heartbeats that a server may send before both channels have begun. */
const MAX_HEARTBEATS_OUT_OF_STEP = 3

/** Goodbyes after which coming back at once cannot work. */
const FINAL_GOODBYES: ReadonlySet<string> = new Set(['tenant_deleted', 'token_revoked'])

/** The frames of one connection applied to the replica. {@link take} returns an end when the connection is of no more use. */
export class StreamSession {
  readonly #replica: Replica
  readonly #events: SessionEvents
  readonly #diagnostics: Diagnostics
  readonly #begun = new Set<StreamChannel>()
  #hello: HelloFrame | undefined
  #earlyHeartbeats = 0

  constructor(replica: Replica, events: SessionEvents, diagnostics: Diagnostics) {
    this.#replica = replica
    this.#events = events
    this.#diagnostics = diagnostics
  }

  /** Applies one frame. */
  take(frame: Frame): StreamEnd | undefined {
    if (frame.event === 'hello') return this.#takeHello(frame.data)
    if (this.#hello === undefined) {
      return { cause: 'protocol', message: `the first frame is ${frame.event} instead of hello` }
    }
    if (frame.event === 'goodbye') return goodbye(frame.data)
    if (frame.event === 'heartbeat') return this.#takeHeartbeat(BigInt(frame.data.storeRevision))
    return this.#takeChannelFrame(frame)
  }

  #takeHello(hello: HelloFrame): StreamEnd | undefined {
    this.#hello = hello
    this.#events.onHello(hello)
    return this.#checkNotBehind(BigInt(hello.storeRevision))
  }

  /** Told before anything is applied: a replica that is behind us would drop or repeat changes that we have. */
  #checkNotBehind(storeRevision: bigint): StreamEnd | undefined {
    const held = this.#replica.newestRevision
    if (held === undefined || storeRevision >= held) return undefined
    return behind(storeRevision, held)
  }

  #takeHeartbeat(storeRevision: bigint): StreamEnd | undefined {
    for (const channel of this.#begun) {
      const outcome = this.#replica.channels[channel].advance(storeRevision)
      if (outcome.kind === 'backwards') return this.#checkNotBehind(storeRevision)
    }
    if (this.#begun.size === STREAM_CHANNELS.length) return undefined
    this.#earlyHeartbeats += 1
    if (this.#earlyHeartbeats <= MAX_HEARTBEATS_OUT_OF_STEP) return undefined
    return { cause: 'protocol', message: 'the server sends heartbeats but not the state of both channels' }
  }

  #takeChannelFrame(frame: ChannelFrame): StreamEnd | undefined {
    const channel = channelOf(frame)
    const outcome = this.#replica.apply(frame)
    const end = this.#endAfter(channel, outcome)
    if (end !== undefined) return end
    if (outcome.kind === 'applied') this.#events.onChanged(channel, outcome.changed)
    this.#begin(channel)
    this.#events.onProgress()
    return undefined
  }

  #begin(channel: StreamChannel): void {
    if (this.#begun.has(channel)) return
    this.#begun.add(channel)
    if (this.#begun.size === STREAM_CHANNELS.length) this.#events.onInStep()
  }

  #endAfter(channel: StreamChannel, outcome: ChannelOutcome): StreamEnd | undefined {
    switch (outcome.kind) {
      case 'gap':
        this.#diagnostics.report('delta_gap', `a delta of ${channel} does not follow on what is held`)
        return { cause: 'resync', message: `a change of ${channel} is missing; asking for a snapshot` }
      case 'hash_mismatch':
        this.#diagnostics.report('hash_mismatch', `the hash of ${channel} is not the server's`)
        return { cause: 'resync', message: `${channel} differs from the server's; asking for a snapshot` }
      case 'backwards':
        return { cause: 'behind', message: `the server sent an older state of ${channel} than the one held` }
      default:
        return undefined
    }
  }
}

function behind(storeRevision: bigint, held: bigint): StreamEnd {
  return { cause: 'behind', message: `the server is at revision ${storeRevision}, ${held} was seen already` }
}

function goodbye(frame: LenientGoodbye): StreamEnd {
  const { reason, reconnectWindowMs } = frame
  return {
    cause: FINAL_GOODBYES.has(reason) ? 'refused' : 'goodbye',
    message: `the server ended the stream: ${reason.slice(0, 100)}`,
    reconnectWindowMs,
  }
}
