import { Type, type Static } from 'typebox'
import { Endpoint } from '../config-center/entries.js'
import { ServiceName, StoreRevisionText, TenantName } from '../names.js'

const strict = { additionalProperties: false } as const

/**
 * Who makes an explained call, when the question named a caller: the copy that serves this environment, and whom it would reach if it lost the
 * routing context, since it then resolves for its own tenant.
 */
export const ExplainedCaller = Type.Object(
  {
    service: ServiceName,
    rule: Type.Union([Type.Literal('own'), Type.Literal('inherited'), Type.Literal('masked'), Type.Literal('missing')]),
    owner: Type.Union([TenantName, Type.Null()]),
    endpoints: Type.Array(Endpoint),
    declared: Type.Boolean({ description: 'its definition says that it calls the service' }),
    withoutContext: Type.Union([
      Type.Object({ owner: Type.Union([TenantName, Type.Null()]), endpoints: Type.Array(Endpoint) }, strict),
      Type.Null(),
    ]),
    summary: Type.String(),
  },
  strict,
)
export type ExplainedCaller = Static<typeof ExplainedCaller>

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
    from: Type.Optional(ExplainedCaller),
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
