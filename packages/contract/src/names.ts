import { Type, type Static } from 'typebox'
import {
  COMMIT_SHA_PATTERN,
  SERVICE_NAME_PATTERN,
  STORE_REVISION_PATTERN,
  TENANT_NAME_PATTERN,
  VIEW_HASH_PATTERN,
} from './name-patterns.js'

export * from './name-patterns.js'

/** DNS-1123 label of at most 40 characters: a tenant's name, and the environment's of the same name. */
export const TenantName = Type.String({
  pattern: TENANT_NAME_PATTERN,
  maxLength: 40,
  description: 'DNS-1123 label, at most 40 characters',
})
export type TenantName = Static<typeof TenantName>

/** DNS-1123 label of at most 63 characters: a service's name. */
export const ServiceName = Type.String({
  pattern: SERVICE_NAME_PATTERN,
  maxLength: 63,
  description: 'DNS-1123 label, at most 63 characters',
})
export type ServiceName = Static<typeof ServiceName>

/** A service's name, or `*` for the tenant-wide config document. */
export const DocumentName = Type.String({
  pattern: '^(\\*|[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$',
  maxLength: 63,
  description: 'service name, or * for the tenant-wide document',
})
export type DocumentName = Static<typeof DocumentName>

/** A 64-bit store revision in decimal. "0" means "does not exist" in preconditions. */
export const StoreRevisionText = Type.String({
  pattern: STORE_REVISION_PATTERN,
  description: 'store revision, decimal text of a 64-bit counter',
})
export type StoreRevisionText = Static<typeof StoreRevisionText>

/** RFC 3339 instant in UTC. */
export const Instant = Type.String({ format: 'date-time', description: 'RFC 3339 instant, UTC' })
export type Instant = Static<typeof Instant>

/** A git object id, SHA-1 or SHA-256, in lower-case hex. */
export const CommitSha = Type.String({ pattern: COMMIT_SHA_PATTERN, description: 'git commit id' })
export type CommitSha = Static<typeof CommitSha>

/** SHA-256 in lower-case hex: the hash of a view or table (docs/adr/0002). */
export const ViewHash = Type.String({ pattern: VIEW_HASH_PATTERN, description: 'hash over the canonical form, hex' })
export type ViewHash = Static<typeof ViewHash>

/** The stages an environment can belong to. */
export const STAGES = ['development', 'integration', 'performance', 'prerelease', 'production'] as const
export const Stage = Type.Enum(STAGES)
export type Stage = (typeof STAGES)[number]

/** The shared tenant that feature tenants overlay when they name no other base. */
export const INTEGRATION_TENANT = 'integration'
