import type { StoreRevision } from '@tributary/store'
import type { CatalogChange, CatalogReader } from '../domain/catalog.js'
import { chainOf } from '../domain/resolve.js'
import type { DeltaBudget } from './delta-log.js'
import { IdleCache } from './idle-cache.js'
import type { Impact } from '../domain/view-impact.js'
import type { ItemSource } from './item-source.js'
import type { ItemChange } from './keyed-items.js'
import { TableChannel } from './table-channel.js'
import { TableItems } from './table-items.js'
import type { RegistryOptions } from './view-registry.js'

/** The route tables that somebody needs, kept up change by change: one for each root. */
export class TableRegistry {
  readonly #catalog: CatalogReader
  readonly #source: ItemSource
  readonly #budget: DeltaBudget
  readonly #tables = new Map<string, TableChannel>()
  readonly #idle: IdleCache<TableChannel>

  constructor(options: RegistryOptions) {
    this.#catalog = options.catalog
    this.#source = options.source
    this.#budget = options.budget
    this.#idle = new IdleCache(options.maxIdle, (table) => table.listenerCount === 0 && this.#discard(table))
  }

  /** Tables in memory. */
  get size(): number {
    return this.#tables.size
  }

  /** The root of the tree that `tenant` is in now; undefined for an unknown tenant. */
  rootOf(tenant: string): string | undefined {
    return chainOf(this.#catalog, tenant).at(-1)
  }

  /**
   * The table of the tree that `tenant` is in, made when it is not there; undefined for an unknown tenant. It stays until it is
   * released: call {@link release} after reading it, and after removing a listener.
   */
  find(tenant: string): TableChannel | undefined {
    const root = this.rootOf(tenant)
    if (root === undefined) return undefined
    return this.#tables.get(root) ?? this.#create(root)
  }

  /** Lets a table go, unless somebody follows it: the least recently used are dropped first. */
  release(table: TableChannel): void {
    if (table.listenerCount > 0) this.#idle.delete(table)
    else this.#idle.touch(table)
  }

  /** Brings all tables to the catalog's state; each table that changed publishes one delta. */
  apply(impact: Impact, changes: readonly CatalogChange[], revision: StoreRevision): void {
    if (this.#tables.size === 0) return
    const pending = new Map<TableChannel, ItemChange[]>()
    const note = (channel: TableChannel, items: readonly ItemChange[]): void => {
      const noted = pending.get(channel)
      if (noted === undefined) pending.set(channel, [...items])
      else for (const item of items) noted.push(item)
    }
    for (const tenant of impact.restructured) this.#place(tenant, note)
    for (const change of changes) {
      if (change.kind !== 'entry' || impact.restructured.has(change.tenant)) continue
      const channel = this.#tables.get(this.rootOf(change.tenant) ?? '')
      if (channel !== undefined) note(channel, channel.table.syncEntry(change.tenant, change.service))
    }
    for (const [channel, items] of pending) channel.publish(items, revision)
    this.#dropEmpty()
  }

  /** Puts a tenant that was created, deleted or moved into the one table that it belongs to now, if any. */
  #place(tenant: string, note: (channel: TableChannel, items: readonly ItemChange[]) => void): void {
    const root = this.rootOf(tenant)
    for (const channel of this.#tables.values()) {
      if (channel.root === root) note(channel, channel.table.syncTenant(tenant))
      else if (channel.table.has(tenant)) note(channel, channel.table.removeTenant(tenant))
    }
  }

  #create(root: string): TableChannel {
    const table = TableItems.ofTree(root, this.#catalog, this.#source)
    const channel = new TableChannel({ root, table, revision: this.#catalog.storeRevision, budget: this.#budget })
    this.#tables.set(root, channel)
    return channel
  }

  /** A table whose root is gone or is no root any more has nothing in it; a later one of that name starts anew. */
  #dropEmpty(): void {
    for (const channel of this.#tables.values()) {
      if (channel.table.has(channel.root)) continue
      this.#idle.delete(channel)
      this.#discard(channel)
    }
  }

  #discard(table: TableChannel): void {
    table.dispose()
    if (this.#tables.get(table.root) === table) this.#tables.delete(table.root)
  }
}
