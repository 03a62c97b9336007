import { Type, type Static } from 'typebox'
import { DocumentName, ServiceName, StoreRevisionText, TenantName } from '../names.js'
import { DocumentData } from './documents.js'
import { EntrySpec } from './entries.js'
import { JsonSchema, SchemaViolation } from './schemas.js'
import { TenantSpec } from './tenants.js'

const strict = { additionalProperties: false } as const
const expectedRevision = Type.Optional({
  ...StoreRevisionText,
  description:
    'precondition: revision of the thing before the write, "0" for absent; 409 with the current state otherwise',
})

/** One change of a transaction. `apply-*` is idempotent: writing what is there already changes nothing. */
export const Change = Type.Union([
  Type.Object({ op: Type.Literal('apply-tenant'), tenant: TenantName, spec: TenantSpec, expectedRevision }, strict),
  Type.Object(
    {
      op: Type.Literal('delete-tenant'),
      tenant: TenantName,
      dependents: Type.Optional(
        Type.Union([Type.Literal('refuse'), Type.Literal('reparent')], {
          description: 'tenants that overlay it: refuse (default) or give them its base',
        }),
      ),
      expectedRevision,
    },
    strict,
  ),
  Type.Object(
    { op: Type.Literal('apply-entry'), tenant: TenantName, service: ServiceName, spec: EntrySpec, expectedRevision },
    strict,
  ),
  Type.Object({ op: Type.Literal('mask-entry'), tenant: TenantName, service: ServiceName, expectedRevision }, strict),
  Type.Object({ op: Type.Literal('delete-entry'), tenant: TenantName, service: ServiceName, expectedRevision }, strict),
  Type.Object(
    {
      op: Type.Literal('apply-document'),
      tenant: TenantName,
      service: DocumentName,
      data: DocumentData,
      expectedRevision,
    },
    strict,
  ),
  Type.Object(
    {
      op: Type.Literal('patch-document'),
      tenant: TenantName,
      service: DocumentName,
      patch: DocumentData,
      expectedRevision,
    },
    strict,
  ),
  Type.Object(
    { op: Type.Literal('delete-document'), tenant: TenantName, service: DocumentName, expectedRevision },
    strict,
  ),
  Type.Object(
    {
      op: Type.Literal('apply-schema'),
      tenant: TenantName,
      service: ServiceName,
      schema: JsonSchema,
      expectedRevision,
    },
    strict,
  ),
  Type.Object(
    { op: Type.Literal('delete-schema'), tenant: TenantName, service: ServiceName, expectedRevision },
    strict,
  ),
])
export type Change = Static<typeof Change>

/** Said with a write and kept in its history record. */
export const WriteNote = Type.Object(
  {
    reason: Type.Optional(Type.String({ maxLength: 512 })),
    runId: Type.Optional(Type.String({ maxLength: 64, description: 'the env-manager’s run that writes' })),
  },
  strict,
)
export type WriteNote = Static<typeof WriteNote>

/** Several changes that happen at one store revision or not at all. */
export const TransactionRequest = Type.Object(
  { changes: Type.Array(Change, { minItems: 1, maxItems: 40 }), note: Type.Optional(WriteNote) },
  { $id: 'TransactionRequest', additionalProperties: false },
)
export type TransactionRequest = Static<typeof TransactionRequest>

/** A subscriber that has not applied a revision, or that could not. */
export const Laggard = Type.Object(
  {
    subscriptionId: Type.String(),
    tenant: TenantName,
    service: Type.Union([ServiceName, Type.Null()]),
    instance: Type.String(),
    appliedRevision: StoreRevisionText,
    error: Type.Union([Type.String(), Type.Null()], { description: 'reload error that it reported for the revision' }),
  },
  strict,
)
export type Laggard = Static<typeof Laggard>

/** How far a revision has got: `converged` when every live subscriber whose view it changed has applied it. */
export const Convergence = Type.Object(
  {
    storeRevision: StoreRevisionText,
    converged: Type.Boolean(),
    affected: Type.Integer(),
    laggards: Type.Array(Laggard),
  },
  { $id: 'Convergence', additionalProperties: false },
)
export type Convergence = Static<typeof Convergence>

/** `changed` is false when the write was already the state; `storeRevision` is then the current one. */
export const WriteResult = Type.Object(
  {
    storeRevision: StoreRevisionText,
    changed: Type.Boolean(),
    convergence: Type.Optional(Convergence),
    warnings: Type.Optional(
      Type.Array(SchemaViolation, { description: 'places that break their schema since this write; at most 20' }),
    ),
  },
  { $id: 'WriteResult', additionalProperties: false },
)
export type WriteResult = Static<typeof WriteResult>
