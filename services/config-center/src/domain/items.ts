import { itemKeys, type RouteEntry } from '@tributary/contract'
import type { CatalogReader } from './catalog.js'
import {
  chainOf,
  documentNames,
  resolveDocument,
  resolveGrayDocument,
  resolveService,
  resolveServices,
} from './resolve.js'

/** The view of `tenant`, with the config of `service` only, or of every service when it is null. Empty for an unknown tenant. */
export function viewItems(catalog: CatalogReader, tenant: string, service: string | null): Map<string, unknown> {
  const chain = chainOf(catalog, tenant)
  const items = new Map<string, unknown>()
  if (chain.length === 0) return items
  items.set(itemKeys.chain, chain)
  for (const [name, resolved] of resolveServices(catalog, chain)) items.set(itemKeys.service(name), resolved)
  for (const name of service === null ? documentNames(catalog, chain) : [service]) {
    const document = resolveDocument(catalog, chain, name)
    if (document !== undefined) items.set(itemKeys.config(name), document)
  }
  return items
}

/** One item of a view; undefined when the view does not have it. */
export function viewItem(catalog: CatalogReader, chain: readonly string[], key: string): unknown {
  if (key === itemKeys.chain) return chain.length === 0 ? undefined : chain
  const [kind, name] = splitKey(key)
  return kind === 'service' ? resolveService(catalog, chain, name) : resolveDocument(catalog, chain, name)
}

/** As {@link viewItems}, for an instance that the gray release of the tenant's service reaches. */
export function grayViewItems(catalog: CatalogReader, tenant: string, service: string): Map<string, unknown> {
  const items = viewItems(catalog, tenant, service)
  const document = resolveGrayDocument(catalog, chainOf(catalog, tenant), service)
  if (items.size > 0 && document !== undefined) items.set(itemKeys.config(service), document)
  return items
}

/** The route table of the tree below `root`. */
export function routeItems(catalog: CatalogReader, root: string): Map<string, unknown> {
  const items = new Map<string, unknown>()
  const pending = [root]
  for (let tenant = pending.pop(); tenant !== undefined; tenant = pending.pop()) {
    const record = catalog.tenant(tenant)
    if (record === undefined || items.has(itemKeys.tenant(tenant))) continue
    items.set(itemKeys.tenant(tenant), { base: record.base })
    for (const entry of catalog.entriesOf(tenant).values()) {
      items.set(itemKeys.entry(tenant, entry.service), {
        state: entry.state,
        endpoints: [...entry.endpoints],
      } satisfies RouteEntry)
    }
    pending.push(...catalog.dependents(tenant))
  }
  return items
}

function splitKey(key: string): readonly [string, string] {
  const slash = key.indexOf('/')
  return [key.slice(0, slash), key.slice(slash + 1)]
}
