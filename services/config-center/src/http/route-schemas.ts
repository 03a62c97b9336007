import {
  DocumentName,
  ErrorBody,
  SchemaMode,
  ServiceName,
  StoreRevisionText,
  TenantName,
  WriteNote,
} from '@tributary/contract'
import { Type, type Static, type TProperties } from 'typebox'

/** Longest that a write waits for subscribers. */
export const MAX_WAIT_MS = 60_000

const strict = { additionalProperties: false } as const

/** Precondition of a write of one thing. */
export const preconditionQuery = {
  expectedRevision: Type.Optional({
    ...StoreRevisionText,
    description:
      'precondition: revision of the thing before the write, "0" for absent; 409 with the current state otherwise',
  }),
}

/** What becomes of a write after which documents break their schema. */
const schemaMode = {
  ...SchemaMode,
  description:
    'own (default): refused when a view of a tenant that it names breaks its schema, and warned of in those that overlay it; all: refused in both; warn: never refused',
}

/** What every write may say beside its content. */
export const writeQuery = {
  ...WriteNote.properties,
  schema: Type.Optional(schemaMode),
  waitMs: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: MAX_WAIT_MS,
      description: 'wait until every live affected subscriber has applied the write, at most this long',
    }),
  ),
}

/** Query of a write of one thing. */
export const ThingWriteQuery = strictObject({ ...preconditionQuery, ...writeQuery })
export type ThingWriteQuery = Static<typeof ThingWriteQuery>

/** Name by which an instance subscribes. */
export const InstanceName = Type.String({ maxLength: 128 })

export const TenantParams = strictObject({ tenant: TenantName })
export const EntryParams = strictObject({ tenant: TenantName, service: ServiceName })
export const DocumentParams = strictObject({ tenant: TenantName, service: DocumentName })

/** An object that takes no other members. */
export function strictObject<Properties extends TProperties>(properties: Properties) {
  return Type.Object(properties, strict)
}

/** A list with the store revision at which it was read. */
export function listOf<Properties extends TProperties>(properties: Properties) {
  return Type.Object({ storeRevision: StoreRevisionText, ...properties }, strict)
}

/** Answers of a route: its success, and an `ErrorBody` for everything else. */
export function answers<Success extends Record<number, unknown>>(success: Success) {
  return { ...success, '4xx': ErrorBody, '5xx': ErrorBody } as const
}
