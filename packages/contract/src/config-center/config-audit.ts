import { Type, type Static } from 'typebox'
import { Instant, StoreRevisionText, TenantName } from '../names.js'
import { ChangedKind } from './history.js'

const strict = { additionalProperties: false } as const

/** Most things that are named of one write. */
export const MAX_AUDIT_CHANGES = 100

/** A thing that a write made, changed or took away; its history has the values. */
export const AuditedChange = Type.Object(
  {
    kind: Type.Union([ChangedKind, Type.Literal('token')]),
    tenant: Type.Union([TenantName, Type.Null()]),
    name: Type.String(),
    did: Type.Union([Type.Literal('created'), Type.Literal('changed'), Type.Literal('deleted')]),
  },
  strict,
)
export type AuditedChange = Static<typeof AuditedChange>

/** Requests that were refused alike within some seconds. `actor` null: they had no token that is known. */
export const RefusedAttempts = Type.Object(
  {
    code: Type.String({ description: 'UNAUTHENTICATED or PERMISSION_DENIED' }),
    request: Type.String({ description: 'method and route, e.g. PUT /v1/tenants/:tenant' }),
    actor: Type.Union([Type.String(), Type.Null()]),
    onBehalfOf: Type.Optional(Type.String()),
    tenant: Type.Union([TenantName, Type.Null()], {
      description: 'that the path names, if it names one that there can be',
    }),
    address: Type.String(),
    count: Type.Integer({ minimum: 1 }),
    firstAt: Instant,
    lastAt: Instant,
  },
  strict,
)
export type RefusedAttempts = Static<typeof RefusedAttempts>

/** One line of the audit log: a write of config, tokens made or revoked, or attempts that were refused. */
export const ConfigAuditRecord = Type.Object(
  {
    storeRevision: StoreRevisionText,
    at: Instant,
    kind: Type.Union([Type.Literal('write'), Type.Literal('token'), Type.Literal('refused')]),
    actor: Type.String({ description: 'the token’s name and role' }),
    onBehalfOf: Type.Optional(Type.String({ description: 'the person for whom the token wrote, as it said' })),
    tenants: Type.Array(TenantName),
    reason: Type.Optional(Type.String()),
    runId: Type.Optional(Type.String()),
    changes: Type.Array(AuditedChange, { description: 'the first 100' }),
    changeCount: Type.Integer({ minimum: 0 }),
    refused: Type.Optional(Type.Array(RefusedAttempts)),
    uncounted: Type.Optional(
      Type.Integer({ description: 'refused attempts of other kinds, for which there was no room' }),
    ),
  },
  { $id: 'ConfigAuditRecord', additionalProperties: false },
)
export type ConfigAuditRecord = Static<typeof ConfigAuditRecord>
