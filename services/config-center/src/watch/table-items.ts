import { itemKeys } from '@tributary/contract'
import type { StoreRevision } from '@tributary/store'
import type { CatalogReader } from '../domain/catalog.js'
import type { ItemSource } from './item-source.js'
import { KeyedItems, type Item, type ItemChange } from './keyed-items.js'

/** The items of one route table, changed tenant by tenant and entry by entry. Each change reads the catalog as it is now. */
export class TableItems {
  readonly items = new KeyedItems()
  readonly #catalog: CatalogReader
  readonly #source: ItemSource
  /** Tenants in the table, each with the services of its entries. */
  readonly #services = new Map<string, Set<string>>()
  readonly #joinedAt = new Map<string, StoreRevision>()

  constructor(catalog: CatalogReader, source: ItemSource) {
    this.#catalog = catalog
    this.#source = source
  }

  /** The table of the tree below `root`. */
  static ofTree(root: string, catalog: CatalogReader, source: ItemSource): TableItems {
    const table = new TableItems(catalog, source)
    const pending = [root]
    for (let tenant = pending.pop(); tenant !== undefined; tenant = pending.pop()) {
      if (table.has(tenant)) continue
      table.syncTenant(tenant)
      pending.push(...catalog.dependents(tenant))
    }
    return table
  }

  has(tenant: string): boolean {
    return this.#services.has(tenant)
  }

  /** The revision since which a tenant has been in the table without a break; undefined when it is not. */
  joinedAt(tenant: string): StoreRevision | undefined {
    return this.#joinedAt.get(tenant)
  }

  /** Makes the table show a tenant as the catalog has it; without it when the catalog has not. */
  syncTenant(tenant: string): ItemChange[] {
    const record = this.#catalog.tenant(tenant)
    if (record === undefined) return this.removeTenant(tenant)
    const known = this.#services.get(tenant) ?? new Set<string>()
    this.#services.set(tenant, known)
    if (!this.#joinedAt.has(tenant)) this.#joinedAt.set(tenant, this.#catalog.storeRevision)
    const services = new Set([...known, ...this.#catalog.entriesOf(tenant).keys()])
    return [
      ...this.#set(itemKeys.tenant(tenant), this.#source.routeTenant(tenant, record.base)),
      ...[...services].flatMap((service) => this.syncEntry(tenant, service)),
    ]
  }

  /** Makes the table show one entry of a tenant that it has. */
  syncEntry(tenant: string, service: string): ItemChange[] {
    const services = this.#services.get(tenant)
    if (services === undefined) return []
    const entry = this.#catalog.entry(tenant, service)
    if (entry === undefined) services.delete(service)
    else services.add(service)
    return this.#set(itemKeys.entry(tenant, service), entry && this.#source.routeEntry(entry))
  }

  /** Takes a tenant and its entries out. */
  removeTenant(tenant: string): ItemChange[] {
    const services = [...(this.#services.get(tenant) ?? [])]
    this.#services.delete(tenant)
    this.#joinedAt.delete(tenant)
    return [
      ...this.#set(itemKeys.tenant(tenant), undefined),
      ...services.flatMap((service) => this.#set(itemKeys.entry(tenant, service), undefined)),
    ]
  }

  #set(key: string, item: Item | undefined): ItemChange[] {
    return this.items.set(key, item) ? [[key, item]] : []
  }
}
