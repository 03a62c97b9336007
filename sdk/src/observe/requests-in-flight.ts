import type { Serving } from './call-observer.js'

/** Traces of requests that were answered, whose late calls can still be recognised. */
const MAX_TRACES = 2_000

/** The requests that a process is serving now, and the traces of the last ones. */
export class RequestsInFlight {
  readonly #byTenant = new Map<string | undefined, number>()
  readonly #traces = new Map<string, Serving>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** True when a request that named a tenant is being served. */
  get hasTenants(): boolean {
    return this.#byTenant.size > (this.#byTenant.has(undefined) ? 1 : 0)
  }

  /** The tenant of all requests that are being served; undefined when there are several, or none is named by one of them. */
  get onlyTenant(): string | undefined {
    const [tenant] = this.#byTenant.keys()
    return this.#byTenant.size === 1 ? tenant : undefined
  }

  add(serving: Serving): void {
    const { namedTenant: tenant, traceId } = serving
    this.#size += 1
    this.#byTenant.set(tenant, (this.#byTenant.get(tenant) ?? 0) + 1)
    if (traceId !== undefined) this.#remember(traceId, serving)
  }

  remove({ namedTenant: tenant }: Serving): void {
    this.#size -= 1
    const left = (this.#byTenant.get(tenant) ?? 0) - 1
    if (left > 0) this.#byTenant.set(tenant, left)
    else this.#byTenant.delete(tenant)
  }

  /** The request of a trace, being served or lately answered. */
  ofTrace(traceId: string | undefined): Serving | undefined {
    return traceId === undefined ? undefined : this.#traces.get(traceId)
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
