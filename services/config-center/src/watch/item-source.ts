import { itemKeys, type DocumentData, type RouteEntry } from '@tributary/contract'
import type { StoreRevision } from '@tributary/store'
import type { CatalogReader } from '../domain/catalog.js'
import { mergeDocuments } from '../domain/merge-patch.js'
import { TENANT_WIDE, type EntryRecord } from '../domain/records.js'
import { documentNames, resolveGrayDocument, resolveService } from '../domain/resolve.js'
import { makeItem, type Item } from './keyed-items.js'

interface MergedDocument {
  readonly data: DocumentData
  readonly item: Item
}

interface EntryItems {
  own?: Item
  inherited?: Item
  route?: Item
}

/**
 * Makes the items of views and tables from the catalog, each distinct one once: an entry that a thousand tenants inherit is
 * serialised and hashed once, and so is a document that they do not change. Values are those of `domain/items.ts`.
 */
export class ItemSource {
  readonly #catalog: CatalogReader
  // Entry records are replaced, never changed, so their items live exactly as long as they do.
  readonly #entryItems = new WeakMap<EntryRecord, EntryItems>()
  readonly #documents = new Map<string, Map<string, MergedDocument | undefined>>()
  #documentsAt: StoreRevision = -1n

  constructor(catalog: CatalogReader) {
    this.#catalog = catalog
  }

  /** The `chain` item. */
  chain(chain: readonly string[]): Item {
    return makeItem(itemKeys.chain, chain)
  }

  /** All `service/…` items of a chain. */
  services(chain: readonly string[]): Map<string, Item> {
    const items = new Map<string, Item>()
    for (const tenant of chain) {
      for (const service of this.#catalog.entriesOf(tenant).keys()) {
        const key = itemKeys.service(service)
        const item = items.has(key) ? undefined : this.service(chain, service)
        if (item !== undefined) items.set(key, item)
      }
    }
    return items
  }

  /** One `service/…` item; undefined when nobody in the chain has an entry. */
  service(chain: readonly string[], service: string): Item | undefined {
    for (const [distance, tenant] of chain.entries()) {
      const entry = this.#catalog.entry(tenant, service)
      if (entry === undefined) continue
      const items = this.#itemsOf(entry)
      const kind = distance === 0 ? 'own' : 'inherited'
      items[kind] ??= makeItem(itemKeys.service(service), resolveService(this.#catalog, chain, service))
      return items[kind]
    }
    return undefined
  }

  /** The `config/…` items of a view: every document's, or `service`'s alone. */
  documents(chain: readonly string[], service: string | null): Map<string, Item> {
    const items = new Map<string, Item>()
    for (const name of service === null ? documentNames(this.#catalog, chain) : [service]) {
      const item = this.document(chain, name)
      if (item !== undefined) items.set(itemKeys.config(name), item)
    }
    return items
  }

  /** One `config/…` item; undefined when no document contributes. */
  document(chain: readonly string[], name: string): Item | undefined {
    if (this.#documentsAt !== this.#catalog.storeRevision) {
      this.#documents.clear()
      this.#documentsAt = this.#catalog.storeRevision
    }
    return this.#merged(chain, 0, name)?.item
  }

  /** The `config/…` item of a service for the instances that a gray release of `chain[0]` reaches; few views have one. */
  grayDocument(chain: readonly string[], name: string): Item | undefined {
    if (this.#catalog.gray(chain[0] ?? '', name) === undefined) return this.document(chain, name)
    return makeItem(itemKeys.config(name), resolveGrayDocument(this.#catalog, chain, name))
  }

  /** A tenant's item in a route table. */
  routeTenant(tenant: string, base: string | null): Item {
    return makeItem(itemKeys.tenant(tenant), { base })
  }

  /** An entry's item in a route table. */
  routeEntry(entry: EntryRecord): Item {
    const value: RouteEntry = { state: entry.state, endpoints: [...entry.endpoints] }
    const items = this.#itemsOf(entry)
    items.route ??= makeItem(itemKeys.entry(entry.tenant, entry.service), value)
    return items.route
  }

  /** What the tenants from `chain[position]` to the root make of a document. A tenant that adds nothing shares its base's. */
  #merged(chain: readonly string[], position: number, name: string): MergedDocument | undefined {
    const tenant = chain[position]
    if (tenant === undefined) return undefined
    const known = this.#documentsOf(tenant)
    if (known.has(name)) return known.get(name)
    const below = this.#merged(chain, position + 1, name)
    const merged = this.#overlay(tenant, name, below)
    known.set(name, merged)
    return merged
  }

  #overlay(tenant: string, name: string, below: MergedDocument | undefined): MergedDocument | undefined {
    const layers: DocumentData[] = []
    for (const layer of name === TENANT_WIDE ? [TENANT_WIDE] : [TENANT_WIDE, name]) {
      const document = this.#catalog.document(tenant, layer)
      if (document !== undefined) layers.push(document.data)
    }
    if (layers.length === 0) return below
    const data = mergeDocuments([...(below === undefined ? [] : [below.data]), ...layers])
    return { data, item: makeItem(itemKeys.config(name), data) }
  }

  #documentsOf(tenant: string): Map<string, MergedDocument | undefined> {
    let known = this.#documents.get(tenant)
    if (known === undefined) {
      known = new Map()
      this.#documents.set(tenant, known)
    }
    return known
  }

  #itemsOf(entry: EntryRecord): EntryItems {
    let items = this.#entryItems.get(entry)
    if (items === undefined) {
      items = {}
      this.#entryItems.set(entry, items)
    }
    return items
  }
}
