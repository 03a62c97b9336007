import type { StoreRevision } from '@tributary/store'

/** Where things are kept in the store. Tenant, service and instance names hold no `/`, so keys read back without escapes. */
export const STORE_PREFIX = 'cc/'

/** Instance name of the registration that a deployer declared, as opposed to leased self-registrations. */
export const DECLARED_INSTANCE = '@declared'

export const tenantKey = (tenant: string): string => `cc/tenant/${tenant}`
export const entryPrefix = (tenant: string, service?: string): string =>
  service === undefined ? `cc/entry/${tenant}/` : `cc/entry/${tenant}/${service}/`
export const registrationKey = (tenant: string, service: string, instance: string): string =>
  `cc/entry/${tenant}/${service}/${instance}`
export const documentPrefix = (tenant: string): string => `cc/document/${tenant}/`
export const documentKey = (tenant: string, service: string): string => `cc/document/${tenant}/${service}`
export const schemaPrefix = (tenant: string): string => `cc/schema/${tenant}/`
export const schemaKey = (tenant: string, service: string): string => `cc/schema/${tenant}/${service}`
export const grayPrefix = (tenant: string): string => `cc/gray/${tenant}/`
export const grayKey = (tenant: string, service: string): string => `cc/gray/${tenant}/${service}`
export const TENANT_PREFIX = 'cc/tenant/'
/** Rewritten by each recorded write to anything of the tenant: orders a tenant's writes, see `CatalogReader.head`. */
export const headKey = (tenant: string): string => `cc/head/${tenant}`
export const TOKEN_PREFIX = 'cc/token/'
export const tokenKey = (tokenId: string): string => `${TOKEN_PREFIX}${tokenId}`

/** One leased key for each replica that serves: where the others reach it. */
export const REPLICA_PREFIX = 'cc/replica/'
export const replicaKey = (replicaId: string): string => `${REPLICA_PREFIX}${replicaId}`
/** What replicas prove to each other that they share the store with. */
export const REPLICA_SECRET_KEY = 'cc/replica-secret'
/** Written when a replica has to prove that it has seen everything up to a revision; its value means nothing. */
export const BOOKMARK_KEY = 'cc/bookmark'

export const HISTORY_PREFIX = 'cc/history/'
export const historyPrefix = (tenant: string): string => `${HISTORY_PREFIX}${tenant}/`

/** Revisions are 64-bit and signed in every store: 19 digits, so that text sorts as numbers do. */
const MAX_REVISION = 2n ** 63n - 1n
const REVISION_DIGITS = 19

/**
 * Key of the history record of a write that was planned at `readRevision`. The number counts down, so that a listing in key order is
 * newest first. A tenant's writes compare with its head, so each one reads at or after the revision of the one before: the order of
 * the keys is the order of the writes, and no two share a key.
 */
export const historyKey = (tenant: string, readRevision: StoreRevision): string =>
  `${historyPrefix(tenant)}${String(MAX_REVISION - readRevision).padStart(REVISION_DIGITS, '0')}`

/** What a key holds; undefined for keys that the catalog does not mirror (history, tokens). */
export type ParsedKey =
  | { readonly kind: 'tenant'; readonly tenant: string }
  | { readonly kind: 'head'; readonly tenant: string }
  | { readonly kind: 'registration'; readonly tenant: string; readonly service: string; readonly instance: string }
  | { readonly kind: 'document' | 'schema' | 'gray'; readonly tenant: string; readonly service: string }

/** Reads a key back. */
export function parseKey(key: string): ParsedKey | undefined {
  const [root, kind, tenant, second, third] = key.split('/')
  if (root !== 'cc' || tenant === undefined) return undefined
  if (kind === 'tenant' || kind === 'head') return { kind, tenant }
  if ((kind === 'document' || kind === 'schema' || kind === 'gray') && second !== undefined)
    return { kind, tenant, service: second }
  if (kind === 'entry' && second !== undefined && third !== undefined) {
    return { kind: 'registration', tenant, service: second, instance: third }
  }
  return undefined
}
