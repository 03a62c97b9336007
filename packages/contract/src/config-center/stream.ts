import { Type, type Static } from 'typebox'
import { ServiceName, StoreRevisionText, ViewHash } from '../names.js'

export * from './stream-channels.js'

/**
 * Frames of `GET /v1/tenants/{tenant}/stream` (docs/adr/0002). Both channels carry keyed items, replaced whole:
 *
 * | channel | key | value |
 * | --- | --- | --- |
 * | view | `chain` | `TenantName[]`, nearest first |
 * | view | `service/<service>` | `ResolvedService` |
 * | view | `config/<service>` (`config/*` too) | merged document |
 * | routes | `tenant/<tenant>` | `{ base: TenantName or null }` |
 * | routes | `entry/<tenant>/<service>` | `RouteEntry` |
 *
 * Hash of a channel: the XOR of `SHA-256(utf8(key + "\n" + JCS(value)))` over its items (JCS: RFC 8785), in hex; no items: zeros.
 */
export const StreamItem = Type.Object({ key: Type.String(), value: Type.Unknown() }, { additionalProperties: false })
export type StreamItem = Static<typeof StreamItem>

/** A changed item; `value` null means that it is gone. */
export const StreamChange = Type.Object(
  { key: Type.String(), value: Type.Unknown({ description: 'null: the item is gone' }) },
  { additionalProperties: false },
)
export type StreamChange = Static<typeof StreamChange>

/** First frame of a connection. `heartbeatMs`: a client that has read nothing for three of them reconnects. */
export const HelloFrame = Type.Object(
  {
    subscriptionId: Type.String(),
    serverId: Type.String({ description: 'changes when the process that answers does' }),
    storeRevision: StoreRevisionText,
    heartbeatMs: Type.Integer(),
    reconnectWindowMs: Type.Integer({ description: 'after a cut, reconnect at a random moment within this window' }),
  },
  { additionalProperties: false },
)
export type HelloFrame = Static<typeof HelloFrame>

/** The whole channel at a revision. It replaces what the client had. */
export const SnapshotFrame = Type.Object(
  { storeRevision: StoreRevisionText, hash: ViewHash, items: Type.Array(StreamItem) },
  { additionalProperties: false },
)
export type SnapshotFrame = Static<typeof SnapshotFrame>

/**
 * What changed at revision `to`, and nothing else: `from` is the revision of the channel's previous change. A client at
 * revision r applies it when `from <= r < to`, drops it when `to <= r`, and asks for a snapshot when `from > r` or when
 * its own hash afterwards is not `hash`.
 */
export const DeltaFrame = Type.Object(
  {
    from: StoreRevisionText,
    to: StoreRevisionText,
    hash: ViewHash,
    changes: Type.Array(StreamChange, { minItems: 1 }),
  },
  { additionalProperties: false },
)
export type DeltaFrame = Static<typeof DeltaFrame>

/** The client's revision (or hash) is the channel's current state: nothing was missed. */
export const ResumedFrame = Type.Object(
  { storeRevision: StoreRevisionText, hash: ViewHash },
  { additionalProperties: false },
)
export type ResumedFrame = Static<typeof ResumedFrame>

/** Everything up to `storeRevision` has been sent; a client may resume from it. */
export const HeartbeatFrame = Type.Object({ storeRevision: StoreRevisionText }, { additionalProperties: false })
export type HeartbeatFrame = Static<typeof HeartbeatFrame>

/** Why the server ends a stream. `token_expired`: of a workload, whose newer token is welcome at once. */
export const GOODBYE_REASONS = [
  'slow_consumer',
  'draining',
  'tenant_deleted',
  'token_revoked',
  'token_expired',
] as const
export type GoodbyeReason = (typeof GOODBYE_REASONS)[number]

/** Last frame of a connection that the server ends. */
export const GoodbyeFrame = Type.Object(
  {
    reason: Type.Enum(GOODBYE_REASONS),
    reconnectWindowMs: Type.Integer(),
  },
  { additionalProperties: false },
)
export type GoodbyeFrame = Static<typeof GoodbyeFrame>

/**
 * SSE event names with their data. A frame's `id` is its store revision; `hello` and `goodbye` have none, and neither has a frame
 * that others follow in the same write: `Last-Event-ID` never names a revision of which a part is still to come.
 */
export interface StreamFrames {
  hello: HelloFrame
  'view.snapshot': SnapshotFrame
  'view.delta': DeltaFrame
  'view.resumed': ResumedFrame
  'routes.snapshot': SnapshotFrame
  'routes.delta': DeltaFrame
  'routes.resumed': ResumedFrame
  heartbeat: HeartbeatFrame
  goodbye: GoodbyeFrame
}

/** Name of an SSE event of the stream. */
export type StreamEventName = keyof StreamFrames

/**
 * Query of the stream. A resuming client names the last revision that it has applied (`after`, or the `Last-Event-ID`
 * header) and the hashes it then had: an equal hash resumes even when the server has no history.
 */
export const StreamQuery = Type.Object(
  {
    service: Type.Optional({ ...ServiceName, description: 'only this service’s config document in the view' }),
    channels: Type.Optional(
      Type.String({ pattern: '^(view|routes|view,routes|routes,view)$', description: 'default `view`' }),
    ),
    after: Type.Optional(StoreRevisionText),
    viewHash: Type.Optional(ViewHash),
    routesHash: Type.Optional(ViewHash),
    instance: Type.Optional(
      Type.String({ maxLength: 128, description: 'who subscribes, shown among subscribers and laggards' }),
    ),
  },
  { additionalProperties: false },
)
export type StreamQuery = Static<typeof StreamQuery>

/** One answer of the long poll: the same frames, in order, for clients behind proxies that buffer streams. */
export const PollResult = Type.Object(
  {
    storeRevision: StoreRevisionText,
    frames: Type.Array(Type.Object({ event: Type.String(), data: Type.Unknown() }, { additionalProperties: false })),
  },
  { $id: 'PollResult', additionalProperties: false },
)
export type PollResult = Static<typeof PollResult>
