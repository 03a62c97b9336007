import { Type, type Static } from 'typebox'
import { Stage, StoreRevisionText, TenantName } from '../names.js'

/** What a caller says about a tenant. No `base`: a root. */
export const TenantSpec = Type.Object(
  {
    base: Type.Optional(
      Type.Union([TenantName, Type.Null()], { description: 'default `integration`; null makes a root' }),
    ),
    stage: Type.Optional(Stage),
    labels: Type.Optional(
      Type.Record(Type.String({ maxLength: 63 }), Type.String({ maxLength: 256 }), { maxProperties: 32 }),
    ),
  },
  { additionalProperties: false },
)
export type TenantSpec = Static<typeof TenantSpec>

/** A tenant with its chain, nearest first: itself, its base, … up to its root. */
export const Tenant = Type.Object(
  {
    name: TenantName,
    base: Type.Union([TenantName, Type.Null()]),
    stage: Stage,
    labels: Type.Record(Type.String(), Type.String()),
    chain: Type.Array(TenantName),
    dependents: Type.Array(TenantName, { description: 'tenants whose base is this one' }),
    revision: StoreRevisionText,
  },
  { $id: 'Tenant', additionalProperties: false },
)
export type Tenant = Static<typeof Tenant>
