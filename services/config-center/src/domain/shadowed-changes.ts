import type { ShadowedChange } from '@tributary/contract'
import type { CatalogChange } from './catalog.js'
import type { JsonDifference } from './differences.js'
import { explainDocument } from './explain-document.js'
import { formatPointer } from './json-pointer.js'
import { TENANT_WIDE } from './records.js'
import { chainOf, documentNames } from './resolve.js'
import type { ViewComparison } from './view-changes.js'

/** Paths of one changed document that are looked for in other views; more would say nothing new to a person. */
const MAX_PATHS = 50

/** A place where a write changes nothing that the tenant sees. Who lies over it is worked out when it is asked for. */
export interface Shadowed {
  readonly tenant: string
  readonly kind: ShadowedChange['kind']
  readonly name: string
  readonly path?: readonly string[]
  /** Where the write changed something: `tenant/source`. */
  readonly changed: { readonly tenant: string; readonly source: string }
}

/**
 * Where entries and documents that a write changes are hidden by others that lie over them: for services the tenants with an entry of
 * their own, nearest to the change; for documents every tenant above with each path (of the first 50) that stays as it is. In the order
 * of tenants.
 */
export function shadowedChanges(comparison: ViewComparison, changes: readonly CatalogChange[]): Shadowed[] {
  const found = changes.flatMap((change) => {
    if (change.kind === 'entry') return shadowedEntry(comparison, change)
    return change.kind === 'document' ? shadowedDocument(comparison, change) : []
  })
  return found.sort((left, right) => (left.tenant < right.tenant ? -1 : left.tenant > right.tenant ? 1 : 0))
}

/** With who lies over it. */
export function describeShadowed({ before, after }: ViewComparison, shadowed: Shadowed): ShadowedChange {
  const { tenant, kind, name, path, changed } = shadowed
  if (kind === 'service' || path === undefined) return { tenant, kind, name, shadowedBy: `${tenant}/entry` }
  const place = { tenant, service: name, path }
  // Of a value that goes nothing is left to be shadowed, so the state before is asked too.
  const over = [after, before].map((catalog) =>
    explainDocument(catalog, place).layers.find(
      (layer) => layer.tenant === changed.tenant && layer.source === changed.source,
    ),
  )
  const shadowedBy = over.find((layer) => layer?.shadowedBy !== undefined)?.shadowedBy
  const first = explainDocument(after, place).layers[0]
  const nearest = first === undefined ? tenant : `${first.tenant}/${first.source}`
  return { tenant, kind, name, path: formatPointer(path), shadowedBy: shadowedBy ?? nearest }
}

type EntryChange = Extract<CatalogChange, { kind: 'entry' }>
type DocumentChange = Extract<CatalogChange, { kind: 'document' }>

function shadowedEntry({ after }: ViewComparison, { tenant, service }: EntryChange): Shadowed[] {
  const found: Shadowed[] = []
  const pending = [...after.dependents(tenant)]
  const visited = new Set<string>([tenant])
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (visited.has(name)) continue
    visited.add(name)
    if (after.entry(name, service) === undefined) pending.push(...after.dependents(name))
    else found.push({ tenant: name, kind: 'service', name: service, changed: { tenant, source: 'entry' } })
  }
  return found
}

function shadowedDocument(comparison: ViewComparison, { tenant, service: source }: DocumentChange): Shadowed[] {
  const { before, after } = comparison
  const chains = { chainBefore: chainOf(before, tenant), chainAfter: chainOf(after, tenant) }
  const differences = comparison.documentDifferences(chains, source).filter(({ path }) => path.length > 0)
  const meant = differences.slice(0, MAX_PATHS)
  if (meant.length === 0) return []
  const found: Shadowed[] = []
  const visited = new Set<string>()
  const pending = [tenant]
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (visited.has(name)) continue
    visited.add(name)
    pending.push(...after.dependents(name))
    const view = { chainBefore: chainOf(before, name), chainAfter: chainOf(after, name) }
    for (const document of documentsWith(comparison, view.chainAfter, source)) {
      const seen = comparison.documentDifferences(view, document)
      const hidden = meant.filter((difference) => !seen.some((other) => touches(other, difference)))
      const changed = { tenant, source }
      for (const { path } of hidden) found.push({ tenant: name, kind: 'config', name: document, path, changed })
    }
  }
  return found
}

/** The resolved documents that a stored one is part of: `*` is part of all. */
function documentsWith({ after }: ViewComparison, chain: readonly string[], source: string): Iterable<string> {
  return source === TENANT_WIDE ? documentNames(after, chain) : [source]
}

/** Whether one path is the other, or lies inside it. */
function touches(left: JsonDifference, right: JsonDifference): boolean {
  const length = Math.min(left.path.length, right.path.length)
  return left.path.slice(0, length).every((name, index) => right.path[index] === name)
}
