import { Type, type Static } from 'typebox'
import { ServiceName, StoreRevisionText, TenantName, ViewHash } from '../names.js'
import { DocumentData } from './documents.js'
import { Endpoint, ResolvedService } from './entries.js'

/**
 * What a tenant sees at a store revision. `config` holds every service's merged document, or only `service`'s when the view
 * was asked for one service.
 */
export const ResolvedView = Type.Object(
  {
    tenant: TenantName,
    service: Type.Union([ServiceName, Type.Null()]),
    chain: Type.Array(TenantName, { description: 'nearest first' }),
    storeRevision: StoreRevisionText,
    hash: ViewHash,
    services: Type.Record(ServiceName, ResolvedService),
    config: Type.Record(Type.String(), DocumentData, {
      description: 'merged document by service; `*` alone: the tenant-wide one',
    }),
  },
  { $id: 'ResolvedView', additionalProperties: false },
)
export type ResolvedView = Static<typeof ResolvedView>

/** A tenant's own entry in a route table: addresses only. */
export const RouteEntry = Type.Object(
  { state: Type.Union([Type.Literal('present'), Type.Literal('masked')]), endpoints: Type.Array(Endpoint) },
  { additionalProperties: false },
)
export type RouteEntry = Static<typeof RouteEntry>

/** Every tenant's base and own entries below one root: enough to resolve any service for any tenant of that tree in memory. */
export const RouteTable = Type.Object(
  {
    root: TenantName,
    storeRevision: StoreRevisionText,
    hash: ViewHash,
    tenants: Type.Record(
      TenantName,
      Type.Object(
        { base: Type.Union([TenantName, Type.Null()]), entries: Type.Record(ServiceName, RouteEntry) },
        { additionalProperties: false },
      ),
    ),
  },
  { $id: 'RouteTable', additionalProperties: false },
)
export type RouteTable = Static<typeof RouteTable>
