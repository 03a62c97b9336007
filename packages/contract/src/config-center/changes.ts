import { Type, type Static } from 'typebox'
import { StoreRevisionText, TenantName } from '../names.js'

/**
 * A message of `GET /v1/changes`: tenants of which something of their own changed up to a revision. The first message has none: it says
 * where the stream begins. What was before that, and what changed while a client was away, it has to read again.
 */
export const TenantChanges = Type.Object(
  { storeRevision: StoreRevisionText, tenants: Type.Array(TenantName) },
  { $id: 'TenantChanges', additionalProperties: false },
)
export type TenantChanges = Static<typeof TenantChanges>
