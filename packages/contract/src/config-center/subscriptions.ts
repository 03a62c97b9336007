import { Type, type Static } from 'typebox'
import { Instant, ServiceName, StoreRevisionText, TenantName, ViewHash } from '../names.js'

/** A subscriber's report: it has applied everything up to `appliedRevision`; `error` when it could not use what came with it. */
export const AppliedReport = Type.Object(
  {
    appliedRevision: StoreRevisionText,
    viewHash: Type.Optional(ViewHash),
    error: Type.Optional(
      Type.String({ maxLength: 1024, description: 'reload error: the last good value stays in use' }),
    ),
  },
  { $id: 'AppliedReport', additionalProperties: false },
)
export type AppliedReport = Static<typeof AppliedReport>

/** A live stream as the server sees it. `sentRevision` is the newest that brought something to apply; what changes others alone does not count. */
export const Subscription = Type.Object(
  {
    subscriptionId: Type.String(),
    tenant: TenantName,
    service: Type.Union([ServiceName, Type.Null()]),
    instance: Type.String(),
    sentRevision: StoreRevisionText,
    appliedRevision: StoreRevisionText,
    error: Type.Union([Type.String(), Type.Null()]),
    connectedAt: Instant,
    gray: Type.Optional(Type.Boolean({ description: 'it has the document of a gray release' })),
  },
  { $id: 'Subscription', additionalProperties: false },
)
export type Subscription = Static<typeof Subscription>
