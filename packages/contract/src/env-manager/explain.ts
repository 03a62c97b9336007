import { Type, type Static } from 'typebox'
import { Endpoint } from '../config-center/entries.js'
import { ServiceName, StoreRevisionText, TenantName } from '../names.js'

/** Which address answers a call of an environment, by which rule, at which revision, and why not another. */
export const CallExplanation = Type.Object(
  {
    environment: TenantName,
    service: ServiceName,
    rule: Type.Union([Type.Literal('own'), Type.Literal('inherited'), Type.Literal('masked'), Type.Literal('missing')]),
    owner: Type.Union([TenantName, Type.Null()]),
    endpoints: Type.Array(Endpoint),
    storeRevision: StoreRevisionText,
    summary: Type.String(),
    alternatives: Type.Array(
      Type.Object(
        { tenant: TenantName, endpoints: Type.Array(Endpoint), whyNot: Type.String() },
        { additionalProperties: false },
      ),
    ),
  },
  { $id: 'CallExplanation', additionalProperties: false },
)
export type CallExplanation = Static<typeof CallExplanation>
