import type { HelloFrame } from '@tributary/contract'
import type { Clock } from '@tributary/kit'
import type { Diagnostics } from '../diagnostics.js'
import type { Transport } from '../http/transport.js'
import { ReconnectPolicy, type ReconnectTiming } from './reconnect-policy.js'
import type { Replica } from './replica.js'
import { StreamConnection } from './stream-connection.js'
import type { StreamEnd } from './stream-end.js'
import { StreamSession, type SessionEvents } from './stream-session.js'

/** What the loop tells its owner besides the session's events. */
export interface StreamLoopEvents extends SessionEvents {
  /** A connection ended; the next is tried after a wait. Not told when the client closes. */
  onEnd(end: StreamEnd): void
}

/** What a {@link StreamLoop} needs. */
export interface StreamLoopOptions {
  readonly transport: Transport
  readonly replica: Replica
  readonly events: StreamLoopEvents
  readonly diagnostics: Diagnostics
  readonly clock: Clock
  readonly random: () => number
  readonly timing: ReconnectTiming
  /** Path of the stream with its fixed query parameters. */
  readonly path: string
  /** The store's revision by a linearizable read; undefined when it cannot be had now. */
  readonly readStoreRevision: (signal: AbortSignal) => Promise<bigint | undefined>
}

const INITIAL_HEARTBEAT_MS = 15_000

/**
 * Keeps one stream open until the signal aborts: never two at once, because the next is begun after the last one's end.
 *
 * A server that is behind what was already seen is left again. When a linearizable read says that the store itself is behind,
 * its history was reset (restored from a backup, or wiped): then, and only then, the older state is accepted.
 */
export class StreamLoop {
  readonly #options: StreamLoopOptions
  readonly #policy: ReconnectPolicy
  #inStepAt: number | undefined

  constructor(options: StreamLoopOptions) {
    this.#options = options
    this.#policy = new ReconnectPolicy(options.timing, options.random)
  }

  /** Runs until `signal` aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#inStepAt = undefined
      const end = await this.#connect(signal)
      if (signal.aborted) return
      this.#report(end)
      if (end.cause === 'behind') await this.#settleHistory(signal)
      await this.#pause(this.#policy.delayAfter(end, this.#inStepMs()), signal)
    }
  }

  #connect(signal: AbortSignal): Promise<StreamEnd> {
    const { transport, replica, events, diagnostics, clock } = this.#options
    const session = new StreamSession(replica, this.#observed(events), diagnostics)
    return StreamConnection.run({
      transport,
      path: this.#path(),
      onFrame: (frame) => session.take(frame),
      monotonicMs: () => clock.monotonicMs(),
      initialHeartbeatMs: INITIAL_HEARTBEAT_MS,
      signal,
    })
  }

  #observed(events: StreamLoopEvents): SessionEvents {
    return {
      onHello: (hello: HelloFrame) => {
        this.#policy.setWindow(hello.reconnectWindowMs)
        events.onHello(hello)
      },
      onChanged: (channel, keys) => events.onChanged(channel, keys),
      onProgress: () => events.onProgress(),
      onInStep: () => {
        this.#inStepAt = this.#options.clock.monotonicMs()
        events.onInStep()
      },
    }
  }

  #path(): string {
    const query = new URLSearchParams(Object.entries(this.#options.replica.resumePoint()))
    return query.size === 0 ? this.#options.path : `${this.#options.path}&${query.toString()}`
  }

  #inStepMs(): number | undefined {
    return this.#inStepAt === undefined ? undefined : this.#options.clock.monotonicMs() - this.#inStepAt
  }

  #report(end: StreamEnd): void {
    const { diagnostics, events } = this.#options
    if (end.cause === 'refused') diagnostics.report('stream_refused', end.message)
    else if (end.cause === 'protocol') diagnostics.report('frame_invalid', end.message)
    else if (end.cause === 'behind') diagnostics.report('server_behind', end.message)
    else diagnostics.report('stream_ended', end.message)
    events.onEnd(end)
  }

  async #settleHistory(signal: AbortSignal): Promise<void> {
    const { replica, diagnostics, readStoreRevision } = this.#options
    const held = replica.newestRevision
    const current = await readStoreRevision(signal)
    if (held === undefined || current === undefined || current >= held) return
    diagnostics.report(
      'history_reset',
      `the store went back from revision ${held} to ${current}; starting over from it`,
    )
    replica.forgetRevisions()
  }

  async #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.clock.sleep(delayMs, signal)
    } catch {
      // Aborted: the loop's condition ends it.
    }
  }
}
