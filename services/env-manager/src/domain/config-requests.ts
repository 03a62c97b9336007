import type { Permission } from '@tributary/contract'

/** What a request to the config center needs: a permission, and the tenants that it is about. No tenants: what everybody shares. */
export interface ConfigDemand {
  readonly permission: Extract<Permission, 'read' | 'change-config' | 'manage-tokens'>
  readonly tenants: readonly string[]
}

/** A request to the config center, as it would get it. */
export interface ConfigRequest {
  readonly method: string
  /** `/v1/…` without a query. */
  readonly path: string
  /** The parsed body; undefined when there is none, or none that is JSON. */
  readonly body: unknown
}

/**
 * What a person needs for a request to the config center. What is not known to be a read counts as a change, and what names no tenant
 * counts as a change of what everybody shares: a route that the config center gets later is never weaker than the others.
 *
 * | request | needs |
 * | --- | --- |
 * | anything below `/v1/tokens` | manage-tokens |
 * | GET, HEAD, `POST /v1/impact`, and below `/v1/tenants/{tenant}` `POST import/preview` and `POST gray-releases/{service}/preview` | read |
 * | `POST /v1/transactions` | change-config on every tenant of its changes |
 * | other methods below `/v1/tenants/{tenant}` | change-config on that tenant |
 * | everything else | change-config on what everybody shares |
 */
export function demandOf({ method, path, body }: ConfigRequest): ConfigDemand {
  const [version, resource, tenant] = path.split('/').slice(1).map(decoded)
  if (version !== 'v1') return { permission: 'change-config', tenants: [] }
  if (resource === 'tokens') return { permission: 'manage-tokens', tenants: [] }
  // What a write would do is asked with a body, and writes nothing.
  const reads = method === 'GET' || method === 'HEAD' || isTrial(path)
  if (reads) return { permission: 'read', tenants: [] }
  if (resource === 'transactions') return { permission: 'change-config', tenants: tenantsOfChanges(body) }
  if (resource === 'tenants' && tenant !== undefined) return { permission: 'change-config', tenants: [tenant] }
  return { permission: 'change-config', tenants: [] }
}

/** Exactly as written: what is spelled otherwise counts as a change. */
function isTrial(path: string): boolean {
  return path === '/v1/impact' || /^\/v1\/tenants\/[^/]+\/(import|gray-releases\/[^/]+)\/preview$/.test(path)
}

/** None when any change cannot be read: then it counts as one of what everybody shares. */
function tenantsOfChanges(body: unknown): readonly string[] {
  if (typeof body !== 'object' || body === null || !('changes' in body) || !Array.isArray(body.changes)) return []
  const tenants = body.changes.map(tenantOfChange)
  return tenants.every((tenant) => tenant !== undefined) ? [...new Set(tenants)] : []
}

function tenantOfChange(change: unknown): string | undefined {
  if (typeof change !== 'object' || change === null || !('tenant' in change)) return undefined
  return typeof change.tenant === 'string' ? change.tenant : undefined
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    // No name of a tenant; the config center refuses it.
    return segment
  }
}
