import type { CatalogChange, CatalogReader } from './catalog.js'
import { TENANT_WIDE } from './records.js'

/** What may have changed in the view of one tenant. `whole`: everything, since its chain has. */
export interface TenantImpact {
  whole: boolean
  allDocuments: boolean
  readonly services: Set<string>
  readonly documents: Set<string>
}

/** Where the changes of one revision can be seen. */
export interface Impact {
  /** Tenants whose views may have changed. */
  readonly tenants: ReadonlyMap<string, TenantImpact>
  /** Tenants that were created, deleted or moved, with all that overlay them. */
  readonly restructured: ReadonlySet<string>
  /** Tenants that no longer exist. */
  readonly gone: ReadonlySet<string>
  /** Tenants looked at, those included that turned out to shadow the change: the cost. */
  readonly tenantsVisited: number
}

/** Works out the impact of `changes` on `catalog`, which shows the state after them. */
export function impactOf(catalog: CatalogReader, changes: readonly CatalogChange[]): Impact {
  const walk = new ImpactWalk(catalog)
  for (const change of changes) walk.add(change)
  walk.finish()
  return walk
}

class ImpactWalk implements Impact {
  readonly tenants = new Map<string, TenantImpact>()
  readonly restructured = new Set<string>()
  readonly gone = new Set<string>()
  tenantsVisited = 0
  readonly #catalog: CatalogReader
  readonly #gray: { readonly tenant: string; readonly service: string }[] = []

  constructor(catalog: CatalogReader) {
    this.#catalog = catalog
  }

  add(change: CatalogChange): void {
    if (change.kind === 'entry') this.#addEntry(change.tenant, change.service)
    else if (change.kind === 'document') this.#addDocument(change.tenant, change.service)
    else if (change.kind === 'gray') this.#gray.push(change)
    else if (change.before?.base !== change.after?.base) this.#addTenant(change.tenant)
  }

  /** Nobody but the tenant's own subscribers sees a gray release; noted earlier it would keep a change of a base from those above. */
  finish(): void {
    for (const { tenant, service } of this.#gray) this.#of(tenant).documents.add(service)
  }

  #addTenant(tenant: string): void {
    if (this.#catalog.tenant(tenant) === undefined) this.gone.add(tenant)
    this.#descend(tenant, (name) => {
      if (this.restructured.has(name)) return false
      this.restructured.add(name)
      this.#of(name).whole = true
      return true
    })
  }

  #addEntry(tenant: string, service: string): void {
    this.#descend(tenant, (name) => {
      // A tenant with an entry of its own sees nothing of its base's, and neither does whoever overlays it.
      if (name !== tenant && this.#catalog.entry(name, service) !== undefined) return false
      const { services } = this.#of(name)
      if (services.has(service)) return false
      services.add(service)
      return true
    })
  }

  #addDocument(tenant: string, name: string): void {
    this.#descend(tenant, (overlay) => {
      const impact = this.#of(overlay)
      if (impact.allDocuments || impact.documents.has(name)) return false
      if (name === TENANT_WIDE) impact.allDocuments = true
      else impact.documents.add(name)
      return true
    })
  }

  /** Visits `tenant` and its dependents, deeper only where `visit` says so. Each tenant at most once, even in a damaged store. */
  #descend(tenant: string, visit: (tenant: string) => boolean): void {
    const pending = [tenant]
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      this.tenantsVisited += 1
      if (visit(name)) pending.push(...this.#catalog.dependents(name))
    }
  }

  #of(tenant: string): TenantImpact {
    let impact = this.tenants.get(tenant)
    if (impact === undefined) {
      impact = { whole: false, allDocuments: false, services: new Set(), documents: new Set() }
      this.tenants.set(tenant, impact)
    }
    return impact
  }
}
