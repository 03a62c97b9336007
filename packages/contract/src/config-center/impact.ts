import { Type, type Static } from 'typebox'
import { DocumentName, ServiceName, StoreRevisionText, TenantName } from '../names.js'
import { ResolvedService } from './entries.js'
import { RollbackRequest } from './history.js'
import { SchemaViolation } from './schemas.js'
import { Change } from './writes.js'

const strict = { additionalProperties: false } as const
const Count = Type.Integer({ minimum: 0 })

/** Most tenants, and most shadowed places, that one answer tells in full. */
export const MAX_IMPACT_TENANTS = 500
/** Most services, documents, and differing paths of one document, that are told of one tenant. */
export const MAX_IMPACT_PATHS = 50
/** Longest JSON text of a value that is told. */
export const MAX_IMPACT_VALUE_CHARS = 4_096

/** A write to be tried, not made: `changes` or `rollback`, not both. */
export const ImpactRequest = Type.Object(
  {
    changes: Type.Optional(Type.Array(Change, { minItems: 1, maxItems: 40 })),
    rollback: Type.Optional(Type.Object({ tenant: TenantName, ...RollbackRequest.properties }, strict)),
    maxTenants: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_IMPACT_TENANTS,
        description: 'told in full, default 50; totals count all',
      }),
    ),
  },
  { $id: 'ImpactRequest', additionalProperties: false },
)
export type ImpactRequest = Static<typeof ImpactRequest>

const Resolved = Type.Union([ResolvedService, Type.Null()])

/** A service as a tenant sees it, before and after; null: it sees none. */
export const ServiceImpact = Type.Object(
  {
    service: ServiceName,
    before: Resolved,
    after: Resolved,
    ownerChanges: Type.Boolean({ description: 'requests go to another tenant’s copy, or to none' }),
  },
  strict,
)
export type ServiceImpact = Static<typeof ServiceImpact>

/** A value in a resolved document, before and after. JSON has no undefined, so what is absent is null and named absent. */
export const PathImpact = Type.Object(
  {
    path: Type.String({ description: 'JSON Pointer (RFC 6901); empty: the whole document' }),
    before: Type.Unknown(),
    after: Type.Unknown(),
    absent: Type.Optional(Type.Union([Type.Literal('before'), Type.Literal('after')])),
    large: Type.Optional(Type.Boolean({ description: 'the values are left out (null): their JSON is over 4 KiB' })),
  },
  strict,
)
export type PathImpact = Static<typeof PathImpact>

/** A resolved document that changes. `pathCount` counts all differing paths; `paths` are the first of them. */
export const DocumentImpact = Type.Object(
  { service: DocumentName, paths: Type.Array(PathImpact), pathCount: Count },
  strict,
)
export type DocumentImpact = Static<typeof DocumentImpact>

/** A tenant whose resolved view would change. */
export const TenantImpact = Type.Object(
  {
    tenant: TenantName,
    is: Type.Union([Type.Literal('created'), Type.Literal('changed'), Type.Literal('deleted')]),
    written: Type.Boolean({
      description: 'the write itself names the tenant; otherwise it overlays one that it names',
    }),
    chain: Type.Union(
      [Type.Object({ before: Type.Array(TenantName), after: Type.Array(TenantName) }, strict), Type.Null()],
      {
        description: 'null: the chain stays as it is',
      },
    ),
    services: Type.Array(ServiceImpact, { description: 'the first 50' }),
    serviceCount: Count,
    documents: Type.Array(DocumentImpact, { description: 'the first 50' }),
    documentCount: Count,
    subscribers: Type.Union([Count, Type.Null()], {
      description: 'live streams of the tenant that would get a new view; null: a replica did not say',
    }),
  },
  strict,
)
export type TenantImpact = Static<typeof TenantImpact>

/** A place where the write changes nothing that the tenant sees, because something of its own chain lies over it. */
export const ShadowedChange = Type.Object(
  {
    tenant: TenantName,
    kind: Type.Union([Type.Literal('service'), Type.Literal('config')]),
    name: DocumentName,
    path: Type.Optional(Type.String({ description: 'JSON Pointer inside the document' })),
    shadowedBy: Type.String({ description: 'tenant/source of what lies over it; source: entry, a service or *' }),
  },
  strict,
)
export type ShadowedChange = Static<typeof ShadowedChange>

/** What a write would do, tried on the state at `storeRevision`. Lists are cut; `totals` count everything. */
export const WriteImpact = Type.Object(
  {
    storeRevision: StoreRevisionText,
    changed: Type.Boolean({ description: 'false: everything is so already, nothing would be written' }),
    totals: Type.Object(
      {
        tenants: Count,
        services: Count,
        documents: Count,
        owners: Type.Integer({ minimum: 0, description: 'services whose owner changes, over all tenants' }),
        shadowed: Count,
        violations: Count,
        subscribers: Type.Union([Count, Type.Null()]),
      },
      strict,
    ),
    tenants: Type.Array(TenantImpact, {
      description: 'those that the write names first, then by subscribers and name',
    }),
    shadowed: Type.Array(ShadowedChange),
    violations: Type.Array(SchemaViolation, { description: 'that the write would bring about' }),
    refused: Type.Boolean({
      description: 'the write would be answered 422 SCHEMA_VIOLATION unless it says schema=warn',
    }),
  },
  { $id: 'WriteImpact', additionalProperties: false },
)
export type WriteImpact = Static<typeof WriteImpact>
