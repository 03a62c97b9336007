import { itemKeys } from '@tributary/contract'
import type { StoreRevision } from '@tributary/store'
import type { CatalogReader } from '../domain/catalog.js'
import { chainOf } from '../domain/resolve.js'
import type { DeltaBudget } from './delta-log.js'
import { IdleCache } from './idle-cache.js'
import type { Impact, TenantImpact } from '../domain/view-impact.js'
import type { ItemSource } from './item-source.js'
import { KeyedItems, type Item, type ItemChange } from './keyed-items.js'
import { ViewChannel } from './view-channel.js'

/** What a registry needs. `maxIdle` bounds the views that are kept warm although nobody follows them. */
export interface RegistryOptions {
  readonly catalog: CatalogReader
  readonly source: ItemSource
  readonly budget: DeltaBudget
  readonly maxIdle: number
}

/** How much work changes have caused since the start; only ever grows. */
export interface ViewStats {
  /** Tenants looked at to find who is affected. */
  tenantsVisited: number
  /** Materialised views that an impact named, so that items of theirs were computed. */
  viewsExamined: number
  /** Views that a change turned out to alter: one delta each. */
  viewsChanged: number
}

/** What all views of one tenant have in common, kept once. */
interface TenantOverlay {
  chain: readonly string[]
  /** `chain` and `service/…` items. */
  readonly items: KeyedItems
  readonly views: Map<string | null, ViewChannel>
  /** What instances have that a gray release of the service reaches. */
  readonly grayViews: Map<string | null, ViewChannel>
}

/**
 * The resolved views that somebody needs, kept up change by change. A view is (tenant, service whose config it holds, or null
 * for all). A revision costs work in proportion to the views that it can be seen in, however many there are.
 */
export class ViewRegistry {
  readonly stats: ViewStats = { tenantsVisited: 0, viewsExamined: 0, viewsChanged: 0 }
  readonly #catalog: CatalogReader
  readonly #source: ItemSource
  readonly #budget: DeltaBudget
  readonly #overlays = new Map<string, TenantOverlay>()
  readonly #idle: IdleCache<ViewChannel>

  constructor(options: RegistryOptions) {
    this.#catalog = options.catalog
    this.#source = options.source
    this.#budget = options.budget
    // A view that was idle may have found followers since.
    this.#idle = new IdleCache(options.maxIdle, (view) => view.listenerCount === 0 && this.#discard(view))
  }

  /** Views in memory. */
  get size(): number {
    let size = 0
    for (const { views, grayViews } of this.#overlays.values()) size += views.size + grayViews.size
    return size
  }

  /**
   * The view at the catalog's revision, made when it is not there; undefined for an unknown tenant. It stays until it is released:
   * call {@link release} after reading it, and after removing a listener.
   */
  find(tenant: string, service: string | null): ViewChannel | undefined {
    if (this.#catalog.tenant(tenant) === undefined) return undefined
    const overlay = this.#overlays.get(tenant) ?? this.#createOverlay(tenant)
    return overlay.views.get(service) ?? this.#createView({ tenant, service, gray: false }, overlay)
  }

  /** As {@link find}: the view of the instances that a gray release of the tenant's service reaches. */
  findGray(tenant: string, service: string): ViewChannel | undefined {
    if (this.#catalog.tenant(tenant) === undefined) return undefined
    const overlay = this.#overlays.get(tenant) ?? this.#createOverlay(tenant)
    return overlay.grayViews.get(service) ?? this.#createView({ tenant, service, gray: true }, overlay)
  }

  /** Lets a view go, unless somebody follows it: the least recently used are dropped first. */
  release(view: ViewChannel): void {
    if (view.listenerCount > 0) this.#idle.delete(view)
    else this.#idle.touch(view)
  }

  /** Brings all views to the catalog's state; each view that changed publishes one delta. */
  apply(impact: Impact, revision: StoreRevision): void {
    this.stats.tenantsVisited += impact.tenantsVisited
    for (const [tenant, change] of impact.tenants) {
      const overlay = this.#overlays.get(tenant)
      if (overlay === undefined) continue
      if (impact.gone.has(tenant)) this.#discardOverlay(overlay)
      else this.#update(overlay, change, revision)
    }
  }

  #update(overlay: TenantOverlay, change: TenantImpact, revision: StoreRevision): void {
    const shared = change.whole ? this.#rebuild(overlay) : this.#updateServices(overlay, change.services)
    for (const view of affectedViews(overlay, change, shared.length > 0)) {
      this.stats.viewsExamined += 1
      const config =
        change.whole || change.allDocuments
          ? view.config.replaceAll(this.#documentsOf(overlay.chain, view))
          : this.#updateDocuments(overlay, view, change.documents)
      const changes = config.length === 0 ? shared : [...shared, ...config]
      if (changes.length > 0) this.stats.viewsChanged += 1
      view.publish(changes, revision)
    }
  }

  #rebuild(overlay: TenantOverlay): ItemChange[] {
    overlay.chain = chainOf(this.#catalog, overlay.chain[0] ?? '')
    return overlay.items.replaceAll(this.#overlayItems(overlay.chain))
  }

  #updateServices(overlay: TenantOverlay, services: ReadonlySet<string>): ItemChange[] {
    const changes: ItemChange[] = []
    for (const service of services) {
      const key = itemKeys.service(service)
      const item = this.#source.service(overlay.chain, service)
      if (overlay.items.set(key, item)) changes.push([key, item])
    }
    return changes
  }

  #updateDocuments(overlay: TenantOverlay, view: ViewChannel, names: ReadonlySet<string>): ItemChange[] {
    const changes: ItemChange[] = []
    for (const name of names) {
      if (view.service !== null && view.service !== name) continue
      const key = itemKeys.config(name)
      const item = this.#viewDocument(overlay, view, name)
      if (view.config.set(key, item)) changes.push([key, item])
    }
    return changes
  }

  #viewDocument(overlay: TenantOverlay, view: ViewChannel, name: string): Item | undefined {
    if (view.gray) return this.#source.grayDocument(overlay.chain, name)
    // A view of all services lists the documents that exist in the chain; a service's own view has its config even when only `*` makes it.
    const listed = view.service !== null || overlay.chain.some((tenant) => this.#catalog.document(tenant, name))
    return listed ? this.#source.document(overlay.chain, name) : undefined
  }

  #createOverlay(tenant: string): TenantOverlay {
    const chain = chainOf(this.#catalog, tenant)
    const overlay: TenantOverlay = { chain, items: new KeyedItems(), views: new Map(), grayViews: new Map() }
    overlay.items.replaceAll(this.#overlayItems(chain))
    this.#overlays.set(tenant, overlay)
    return overlay
  }

  #overlayItems(chain: readonly string[]): Map<string, Item> {
    return new Map([[itemKeys.chain, this.#source.chain(chain)], ...this.#source.services(chain)])
  }

  #createView(name: ViewName, overlay: TenantOverlay): ViewChannel {
    const config = new KeyedItems()
    config.replaceAll(this.#documentsOf(overlay.chain, name))
    const { storeRevision: revision } = this.#catalog
    const view = new ViewChannel({ ...name, shared: overlay.items, config, revision, budget: this.#budget })
    viewsOf(overlay, view).set(name.service, view)
    return view
  }

  #documentsOf(chain: readonly string[], { service, gray }: Pick<ViewName, 'service' | 'gray'>): Map<string, Item> {
    if (!gray || service === null) return this.#source.documents(chain, service)
    const item = this.#source.grayDocument(chain, service)
    return item === undefined ? new Map() : new Map([[itemKeys.config(service), item]])
  }

  #discardOverlay(overlay: TenantOverlay): void {
    for (const view of [...overlay.views.values(), ...overlay.grayViews.values()]) {
      this.#idle.delete(view)
      this.#discard(view)
    }
  }

  #discard(view: ViewChannel): void {
    view.dispose()
    const overlay = this.#overlays.get(view.tenant)
    // A deleted tenant that came back has new views; the old ones must not take those away.
    if (overlay === undefined || viewsOf(overlay, view).get(view.service) !== view) return
    viewsOf(overlay, view).delete(view.service)
    if (overlay.views.size + overlay.grayViews.size === 0) this.#overlays.delete(view.tenant)
  }
}

/** Which view of a tenant. */
type ViewName = Pick<ViewChannel, 'tenant' | 'service' | 'gray'>

function viewsOf(
  { views, grayViews }: TenantOverlay,
  { gray }: Pick<ViewName, 'gray'>,
): Map<string | null, ViewChannel> {
  return gray ? grayViews : views
}

/** The tenant's views that the change may alter: all of them, unless only documents changed, which few views have. */
function affectedViews(overlay: TenantOverlay, change: TenantImpact, sharedChanged: boolean): Iterable<ViewChannel> {
  const { views, grayViews } = overlay
  if (change.whole || change.allDocuments || sharedChanged) {
    return grayViews.size === 0 ? views.values() : [...views.values(), ...grayViews.values()]
  }
  if (change.documents.size === 0) return []
  const stable = [null, ...change.documents].flatMap((service) => views.get(service) ?? [])
  return grayViews.size === 0
    ? stable
    : [...stable, ...[...change.documents].flatMap((name) => grayViews.get(name) ?? [])]
}
