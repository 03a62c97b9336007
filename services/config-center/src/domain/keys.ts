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
export const HISTORY_PREFIX = 'cc/history/'
export const TOKEN_PREFIX = 'cc/token/'

/** What a key holds; undefined for keys that the catalog does not mirror (history, tokens). */
export type ParsedKey =
  | { readonly kind: 'tenant'; readonly tenant: string }
  | { readonly kind: 'registration'; readonly tenant: string; readonly service: string; readonly instance: string }
  | { readonly kind: 'document'; readonly tenant: string; readonly service: string }

/** Reads a key back. */
export function parseKey(key: string): ParsedKey | undefined {
  const [root, kind, tenant, second, third] = key.split('/')
  if (root !== 'cc' || tenant === undefined) return undefined
  if (kind === 'tenant') return { kind, tenant }
  if (kind === 'document' && second !== undefined) return { kind, tenant, service: second }
  if (kind === 'entry' && second !== undefined && third !== undefined) {
    return { kind: 'registration', tenant, service: second, instance: third }
  }
  return undefined
}
