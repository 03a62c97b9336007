import type { ResolvedService, RouteEntry } from '@tributary/contract'
import { MAX_CHAIN_LENGTH } from '@tributary/contract/light'
import { ServiceIndex } from '../context/service-index.js'
import type { Diagnostics } from '../diagnostics.js'
import { isChain, isResolvedService, isRouteEntry, isTenantItem } from '../wire/wire-guards.js'

/** A tenant of the route table. */
export interface RoutedTenant {
  readonly base: string | null
  readonly entries: ReadonlyMap<string, RouteEntry>
}

interface MutableTenant {
  base: string | null
  /** False while only entries of it have come. */
  known: boolean
  readonly entries: Map<string, RouteEntry>
}

/** Typed access to the items of both channels, kept up by key. An item that this version cannot read counts as absent. */
export class Directory {
  /** Names and addresses of the system, for where the routing context may go. */
  readonly index = new ServiceIndex()
  readonly #services = new Map<string, ResolvedService>()
  readonly #tenants = new Map<string, MutableTenant>()
  readonly #diagnostics: Diagnostics
  #chain: readonly string[] = []
  #version = 0

  constructor(diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics
  }

  /** The chain of this process's own tenant, nearest first; empty before the view is there. */
  get chain(): readonly string[] {
    return this.#chain
  }

  /** Changes with every item that is taken: what was worked out from the directory holds while it is the same. */
  get version(): number {
    return this.#version
  }

  /** Names of the services of the own view, masked ones included. */
  get serviceNames(): Iterable<string> {
    return this.#services.keys()
  }

  /** Names of the services that the chain of a tenant has in the route table, masked ones included; none when the table does not have it. */
  routedServiceNames(tenant: string): ReadonlySet<string> {
    const names = new Set<string>()
    let next: string | null = tenant
    for (let length = 0; next !== null && length < MAX_CHAIN_LENGTH; length += 1) {
      const found = this.findTenant(next)
      for (const service of found?.entries.keys() ?? []) names.add(service)
      next = found?.base ?? null
    }
    return names
  }

  /** What the own tenant sees of a service. */
  findService(service: string): ResolvedService | undefined {
    return this.#services.get(service)
  }

  /** A tenant of the own tree. */
  findTenant(tenant: string): RoutedTenant | undefined {
    const found = this.#tenants.get(tenant)
    return found?.known === true ? found : undefined
  }

  /** Takes an item of the view; undefined when it is gone. */
  putViewItem(key: string, value: unknown): void {
    this.#version += 1
    const [kind, name] = splitKey(key)
    if (kind === 'chain') this.#chain = isChain(value) ? value : []
    if (kind !== 'service') return
    const before = this.#services.get(name)
    if (isResolvedService(value)) this.#services.set(name, value)
    else this.#drop(this.#services, name, { key, value })
    this.index.replace(name, before, this.#services.get(name))
  }

  /** Takes an item of the route table; undefined when it is gone. */
  putRouteItem(key: string, value: unknown): void {
    this.#version += 1
    const [kind, rest] = splitKey(key)
    if (kind === 'tenant') this.#putTenant(rest, { key, value })
    if (kind !== 'entry') return
    const [tenant, service] = splitKey(rest)
    const { entries } = this.#tenant(tenant)
    const before = entries.get(service)
    if (isRouteEntry(value)) entries.set(service, value)
    else this.#drop(entries, service, { key, value })
    this.index.replace(service, before, entries.get(service))
    this.#forgetEmpty(tenant)
  }

  #putTenant(name: string, item: { readonly key: string; readonly value: unknown }): void {
    const tenant = this.#tenant(name)
    tenant.known = isTenantItem(item.value)
    tenant.base = isTenantItem(item.value) ? item.value.base : null
    if (!tenant.known && item.value !== undefined) this.#reportUnreadable(item.key)
    this.#forgetEmpty(name)
  }

  #tenant(name: string): MutableTenant {
    let tenant = this.#tenants.get(name)
    if (tenant === undefined) {
      tenant = { base: null, known: false, entries: new Map() }
      this.#tenants.set(name, tenant)
    }
    return tenant
  }

  #forgetEmpty(name: string): void {
    const tenant = this.#tenants.get(name)
    if (tenant !== undefined && !tenant.known && tenant.entries.size === 0) this.#tenants.delete(name)
  }

  #drop(from: Map<string, unknown>, name: string, item: { readonly key: string; readonly value: unknown }): void {
    from.delete(name)
    if (item.value !== undefined) this.#reportUnreadable(item.key)
  }

  #reportUnreadable(key: string): void {
    this.#diagnostics.report('item_invalid', `the item ${key} is not of a form that this SDK knows; update the SDK`)
  }
}

function splitKey(key: string): readonly [kind: string, rest: string] {
  const slash = key.indexOf('/')
  return slash === -1 ? [key, ''] : [key.slice(0, slash), key.slice(slash + 1)]
}
