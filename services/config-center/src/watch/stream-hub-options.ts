import type { GoodbyeReason, StreamChannel } from '@tributary/contract'
import type { Clock } from '@tributary/kit'
import type { StoreRevision } from '@tributary/store'
import type { CatalogMirror } from './catalog-mirror.js'
import type { DeltaLogLimits } from './delta-log.js'

/** Bounds of a hub; each has a default. */
export interface StreamLimits {
  /** Time between heartbeats, milliseconds. Default 15,000. */
  readonly heartbeatMs: number
  /** Bytes that may wait for one subscriber when there is more to send; beyond them it gets the net change later. Default 256 KiB. */
  readonly maxUnsentBytes: number
  /** Streams and long polls together. Default 20,000. */
  readonly maxSubscribers: number
  /** Views (and tables) kept warm without anybody who follows them. Default 256. */
  readonly maxIdleChannels: number
  /** History for resuming. Default: 128 deltas and 256 Ki characters a channel, 64 Mi characters in all. */
  readonly history: DeltaLogLimits
}

/** Told what a hub does; its methods must not throw. */
export interface StreamObserver {
  /** A change of a view or table was encoded, whoever gets it. */
  noteDelta(bytes: number): void
  /** A stream was told goodbye. */
  noteEnded(reason: GoodbyeReason): void
}

/** What a hub needs. `isTokenLive` is asked again when a stream is registered: the token may have gone since the request came. */
export interface StreamHubOptions {
  readonly mirror: CatalogMirror
  readonly isTokenLive: (tokenId: string) => boolean
  readonly clock?: Clock
  readonly limits?: Partial<StreamLimits>
  readonly observer?: StreamObserver
}

/** Who wants to follow what, from where. */
export interface SubscribeRequest {
  readonly kind: 'stream' | 'poll'
  readonly tenant: string
  readonly service: string | null
  readonly channels: ReadonlySet<StreamChannel>
  readonly after?: StoreRevision
  readonly viewHash?: string
  readonly routesHash?: string
  readonly instance: string
  readonly tokenId: string
}

/** The defaults of {@link StreamLimits}. */
export const DEFAULT_LIMITS: StreamLimits = {
  heartbeatMs: 15_000,
  maxUnsentBytes: 262_144,
  maxSubscribers: 20_000,
  maxIdleChannels: 256,
  history: { maxDeltas: 128, maxChars: 262_144, maxTotalChars: 67_108_864 },
}
