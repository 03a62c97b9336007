import type { DocumentData, ResolvedService } from '@tributary/contract'
import type { CatalogReader } from './catalog.js'
import { isObject, mergeDocuments, mergePatch } from './merge-patch.js'
import { TENANT_WIDE, type EntryRecord } from './records.js'

/**
 * The tenant and its bases, nearest first; empty for an unknown tenant. Stops at a missing base and at a repetition, so that a
 * damaged store cannot hang a reader (writes refuse both).
 */
export function chainOf(catalog: CatalogReader, tenant: string): readonly string[] {
  const chain: string[] = []
  let name: string | null = tenant
  while (name !== null && !chain.includes(name)) {
    const record = catalog.tenant(name)
    if (record === undefined) break
    chain.push(name)
    name = record.base
  }
  return chain
}

/** What `chain[0]` sees of a service: the nearest entry wins whole; a masked one hides what lies below. */
export function resolveService(
  catalog: CatalogReader,
  chain: readonly string[],
  service: string,
): ResolvedService | undefined {
  for (const [distance, tenant] of chain.entries()) {
    const entry = catalog.entry(tenant, service)
    if (entry !== undefined) return resolvedEntry(entry, distance === 0)
  }
  return undefined
}

/** All services that `chain[0]` sees, masked ones included. */
export function resolveServices(catalog: CatalogReader, chain: readonly string[]): Map<string, ResolvedService> {
  const services = new Map<string, ResolvedService>()
  for (const [distance, tenant] of chain.entries()) {
    for (const [service, entry] of catalog.entriesOf(tenant)) {
      if (!services.has(service)) services.set(service, resolvedEntry(entry, distance === 0))
    }
  }
  return services
}

/**
 * The merged document of a service: from the root down, at each tenant its `*` document first, then the service's, each as an
 * RFC 7396 patch on what came before. Undefined when no document contributes.
 */
export function resolveDocument(
  catalog: CatalogReader,
  chain: readonly string[],
  service: string,
): DocumentData | undefined {
  const layers: DocumentData[] = []
  for (const tenant of [...chain].reverse()) {
    for (const name of service === TENANT_WIDE ? [TENANT_WIDE] : [TENANT_WIDE, service]) {
      const document = catalog.document(tenant, name)
      if (document !== undefined) layers.push(document.data)
    }
  }
  return layers.length === 0 ? undefined : mergeDocuments(layers)
}

/**
 * As {@link resolveDocument}, for the instances that a gray release of `chain[0]` and the service reaches: with its patch on the tenant's
 * own document, as it would be once promoted. Without one the same.
 */
export function resolveGrayDocument(
  catalog: CatalogReader,
  chain: readonly string[],
  service: string,
): DocumentData | undefined {
  const [tenant = '', ...bases] = chain
  if (catalog.gray(tenant, service) === undefined) return resolveDocument(catalog, chain, service)
  const below = resolveDocument(catalog, bases, service)
  const wide = catalog.document(tenant, TENANT_WIDE)?.data
  const layers = [below, wide, grayDocument(catalog, tenant, service)]
  return mergeDocuments(layers.filter((layer) => layer !== undefined))
}

/** A tenant's own document of a service with the patch of its gray release, if there is one. */
export function grayDocument(catalog: CatalogReader, tenant: string, service: string): DocumentData | undefined {
  const own = catalog.document(tenant, service)?.data
  const release = catalog.gray(tenant, service)
  if (release === undefined) return own
  const patched = mergePatch(own ?? {}, release.patch)
  return isObject(patched) ? patched : own
}

/** Names of all documents that a view of all services has: every name for which a tenant of the chain has one, `*` included. */
export function documentNames(catalog: CatalogReader, chain: readonly string[]): Set<string> {
  const names = new Set<string>()
  for (const tenant of chain) for (const name of catalog.documentsOf(tenant).keys()) names.add(name)
  return names
}

function resolvedEntry(entry: EntryRecord, own: boolean): ResolvedService {
  return {
    state: entry.state === 'masked' ? 'masked' : own ? 'own' : 'inherited',
    owner: entry.tenant,
    endpoints: [...entry.endpoints],
    ...(entry.version === undefined ? {} : { version: entry.version }),
    ...(entry.commitSha === undefined ? {} : { commitSha: entry.commitSha }),
    ...(entry.metadata === undefined ? {} : { metadata: { ...entry.metadata } }),
  }
}
