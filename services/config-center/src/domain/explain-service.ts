import type { Explanation, ExplainLayer } from '@tributary/contract'
import type { CatalogReader } from './catalog.js'
import { describeEntry, describeStamp } from './describe.js'
import type { EntryRecord } from './records.js'
import { chainOf, resolveService } from './resolve.js'

/** Source of an entry's layer. */
const ENTRY = 'entry'

/**
 * Why a tenant sees what it sees of a service: every entry of its chain, nearest first. The first one decides; those behind it are
 * shadowed by it. The tenant must exist.
 */
export function explainService(catalog: CatalogReader, tenant: string, service: string): Explanation {
  const chain = chainOf(catalog, tenant)
  const entries = chain.flatMap((name) => catalog.entry(name, service) ?? [])
  return {
    tenant,
    service,
    storeRevision: String(catalog.storeRevision),
    result: resolveService(catalog, chain, service) ?? null,
    summary: summarize(chain, service, entries[0]),
    layers: entries.map((entry) => layerOf(entry, entries[0])),
  }
}

function layerOf(entry: EntryRecord, nearest: EntryRecord | undefined): ExplainLayer {
  const { tenant: _tenant, service: _service, revision, ...value } = describeEntry(entry)
  const layer = {
    tenant: entry.tenant,
    source: ENTRY,
    revision,
    ...describeStamp(entry.stamp),
    value,
  }
  if (nearest !== undefined && entry !== nearest) {
    return { ...layer, effect: 'shadowed', shadowedBy: `${nearest.tenant}/${ENTRY}` }
  }
  return { ...layer, effect: entry.state === 'masked' ? 'masks' : 'effective' }
}

function summarize(chain: readonly string[], service: string, nearest: EntryRecord | undefined): string {
  const [tenant = ''] = chain
  if (nearest === undefined) return `${tenant} sees no ${service}, because ${noneHas(chain)}.`
  const own = nearest.tenant === tenant
  if (nearest.state === 'masked') {
    return `${tenant} sees no ${service}: ${own ? 'it' : nearest.tenant} masks it, so there is no fallback.`
  }
  if (own) return `${tenant} sees its own ${service}, because it has an entry.`
  const without = chain.slice(0, chain.indexOf(nearest.tenant))
  return `${tenant} sees ${service} of ${nearest.tenant}, because ${noneHas(without)}.`
}

function noneHas(names: readonly string[]): string {
  const last = names.at(-1) ?? ''
  if (names.length === 1) return `${last} has no entry`
  if (names.length === 2) return `neither ${names[0] ?? ''} nor ${last} has an entry`
  return `none of ${names.slice(0, -1).join(', ')} and ${last} has an entry`
}
