import { Type, type Static } from 'typebox'
import { ServiceName, StoreRevisionText, TenantName } from '../names.js'
import { SCHEMA_MODES } from './schema-modes.js'

const strict = { additionalProperties: false } as const

/** A JSON schema (draft 2020-12, or draft-07 by its `$schema`) of a service's resolved config. Always an object. */
export const JsonSchema = Type.Record(Type.String(), Type.Unknown(), {
  description: 'JSON schema: draft 2020-12, or draft-07 when $schema says so; at most 64 KiB; $ref only inside itself',
})
export type JsonSchema = Record<string, unknown>

/** The schema that a tenant's view of a service is checked by: that of the tenant whose copy answers (docs/adr/0016). */
export const ConfigSchema = Type.Object(
  {
    tenant: TenantName,
    service: ServiceName,
    owner: Type.Object({ tenant: TenantName }, { ...strict, description: 'whose copy reads the config' }),
    schema: JsonSchema,
    revision: StoreRevisionText,
  },
  { $id: 'ConfigSchema', additionalProperties: false },
)
export type ConfigSchema = Static<typeof ConfigSchema>

/** One place of a resolved document that breaks its schema. The value itself is never told: it may be a secret. */
export const SchemaViolation = Type.Object(
  {
    tenant: TenantName,
    service: ServiceName,
    schemaOwner: TenantName,
    path: Type.String({ description: 'JSON Pointer into the resolved document' }),
    keyword: Type.String({ description: 'of JSON schema, e.g. minimum' }),
    rule: Type.String({ description: 'for people, e.g. must be >= 1' }),
    type: Type.String({ description: 'JSON type of what is there; absent' }),
    setBy: Type.Union([Type.String(), Type.Null()], { description: 'tenant/document that the value comes from' }),
  },
  { $id: 'SchemaViolation', additionalProperties: false },
)
export type SchemaViolation = Static<typeof SchemaViolation>

/** As {@link SCHEMA_MODES} say. */
export const SchemaMode = Type.Enum(SCHEMA_MODES)
export type SchemaMode = (typeof SCHEMA_MODES)[number]
