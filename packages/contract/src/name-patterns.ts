// Without typebox: what runs in every service, and starts with it, checks names by these alone.

/** Pattern of a `TenantName`; it bounds the length too. */
export const TENANT_NAME_PATTERN = '^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$'
/** Pattern of a `ServiceName`; it bounds the length too. */
export const SERVICE_NAME_PATTERN = '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$'
/** Pattern of a `InstanceId`; it bounds the length too. */
export const INSTANCE_ID_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'
/** Pattern of a `StoreRevisionText`. */
export const STORE_REVISION_PATTERN = '^(0|[1-9][0-9]{0,18})$'
/** Pattern of a `ViewHash`. */
export const VIEW_HASH_PATTERN = '^[0-9a-f]{64}$'
/** Pattern of a `CommitSha`. */
export const COMMIT_SHA_PATTERN = '^[0-9a-f]{40}([0-9a-f]{24})?$'

/** The longest chain of tenants, own tenant and root included. */
export const MAX_CHAIN_LENGTH = 8
