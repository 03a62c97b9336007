import type { Serving } from './call-observer.js'

/** Traces of requests that were answered, whose late calls can still be recognised. */
const MAX_TRACES = 2_000

/** Tenants whose count is kept at zero for their next request. */
const MAX_IDLE_TENANTS = 500

/** How many requests of one tenant are being served. */
export interface TenantInFlight {
  readonly tenant: string | undefined
  count: number
}

/** The requests that a process is serving now, and the traces of the last ones. */
export class RequestsInFlight {
  readonly #byTenant = new Map<string | undefined, TenantInFlight>()
  readonly #traces = new Map<string, Serving>()
  #size = 0
  #named = 0

  get size(): number {
    return this.#size
  }

  /** True when a request that named a tenant is being served. */
  get hasTenants(): boolean {
    return this.#named > 0
  }

  /** The tenant of all requests that are being served; undefined when there are several, or none is named by one of them. */
  get onlyTenant(): string | undefined {
    const [first, ...others] = [...this.#byTenant.values()].filter(({ count }) => count > 0)
    return others.length === 0 ? first?.tenant : undefined
  }

  /** Answers what {@link remove} takes back. */
  add(serving: Serving): TenantInFlight {
    const { namedTenant: tenant, traceId } = serving
    const inFlight = this.#byTenant.get(tenant) ?? this.#newTenant(tenant)
    inFlight.count += 1
    this.#size += 1
    if (tenant !== undefined) this.#named += 1
    if (traceId !== undefined) this.#remember(traceId, serving)
    return inFlight
  }

  remove(inFlight: TenantInFlight): void {
    inFlight.count -= 1
    this.#size -= 1
    if (inFlight.tenant !== undefined) this.#named -= 1
  }

  /** The request of a trace, being served or lately answered. */
  ofTrace(traceId: string | undefined): Serving | undefined {
    return traceId === undefined ? undefined : this.#traces.get(traceId)
  }

  #newTenant(tenant: string | undefined): TenantInFlight {
    if (this.#byTenant.size >= MAX_IDLE_TENANTS) this.#forgetIdle()
    const made = { tenant, count: 0 }
    this.#byTenant.set(tenant, made)
    return made
  }

  #forgetIdle(): void {
    for (const [tenant, { count }] of this.#byTenant) if (count === 0) this.#byTenant.delete(tenant)
  }

  #remember(traceId: string, serving: Serving): void {
    // Removed first, so that the order of the map is that of use.
    this.#traces.delete(traceId)
    this.#traces.set(traceId, serving)
    if (this.#traces.size <= MAX_TRACES) return
    const [oldest] = this.#traces.keys()
    if (oldest !== undefined) this.#traces.delete(oldest)
  }
}
