import { Type, type Static } from 'typebox'
import { CommitSha, INSTANCE_ID_PATTERN, ServiceName, StoreRevisionText, TenantName } from '../names.js'

const strict = { additionalProperties: false } as const

/** One address of a service. `host` is a DNS name or IP literal; `protocol` as in `service.yaml`. */
export const Endpoint = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 63, description: 'port name, e.g. http' }),
    protocol: Type.Union([Type.Literal('http'), Type.Literal('https'), Type.Literal('grpc'), Type.Literal('tcp')]),
    host: Type.String({ minLength: 1, maxLength: 253 }),
    port: Type.Integer({ minimum: 1, maximum: 65_535 }),
  },
  strict,
)
export type Endpoint = Static<typeof Endpoint>

/** What whoever deploys or registers a copy says about it. */
export const EntrySpec = Type.Object(
  {
    endpoints: Type.Array(Endpoint, { maxItems: 64 }),
    version: Type.Optional(Type.String({ maxLength: 128 })),
    commitSha: Type.Optional(CommitSha),
    metadata: Type.Optional(
      Type.Record(Type.String({ maxLength: 63 }), Type.String({ maxLength: 256 }), { maxProperties: 32 }),
    ),
  },
  strict,
)
export type EntrySpec = Static<typeof EntrySpec>

/** Identifies one leased, self-registered process of an entry. */
export const InstanceId = Type.String({ pattern: INSTANCE_ID_PATTERN, maxLength: 63 })
export type InstanceId = Static<typeof InstanceId>

/**
 * A tenant's own copy of a service as it is stored. Its endpoints are those of the declared registration followed by those
 * of the live leased instances in order of their ids; endpoints of two tenants are never mixed.
 */
export const ServiceEntry = Type.Object(
  {
    tenant: TenantName,
    service: ServiceName,
    state: Type.Union([Type.Literal('present'), Type.Literal('masked')]),
    endpoints: Type.Array(Endpoint),
    version: Type.Optional(Type.String()),
    commitSha: Type.Optional(CommitSha),
    metadata: Type.Optional(Type.Record(Type.String(), Type.String())),
    instances: Type.Array(InstanceId, { description: 'leased instances that are alive' }),
    revision: StoreRevisionText,
  },
  { $id: 'ServiceEntry', additionalProperties: false },
)
export type ServiceEntry = Static<typeof ServiceEntry>

/** An entry as a tenant sees it: `owner` is the tenant that has it, or that masks it. A masked one has no endpoints. */
export const ResolvedService = Type.Object(
  {
    state: Type.Union([Type.Literal('own'), Type.Literal('inherited'), Type.Literal('masked')]),
    owner: TenantName,
    endpoints: Type.Array(Endpoint),
    version: Type.Optional(Type.String()),
    commitSha: Type.Optional(CommitSha),
    metadata: Type.Optional(Type.Record(Type.String(), Type.String())),
  },
  { $id: 'ResolvedService', additionalProperties: false },
)
export type ResolvedService = Static<typeof ResolvedService>
