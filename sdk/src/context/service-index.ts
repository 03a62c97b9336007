import type { Endpoint } from '@tributary/contract'

/** An entry of the view or of the route table, as far as this index reads it. */
export interface IndexedEntry {
  readonly endpoints: readonly Readonly<Endpoint>[]
}

/** What is known about an address: the service that was registered at it first, and by how many endpoints. */
interface Address {
  readonly service: string
  count: number
}

/**
 * Which names and addresses belong to the system: those of any tenant of the own tree. This is the allow-list of where the routing
 * context may go. Kept up entry by entry, so that a change costs what it changes.
 */
export class ServiceIndex {
  readonly #services = new Map<string, number>()
  readonly #addresses = new Map<string, Address>()

  /** Puts an entry of a service in the place of another one; undefined: there was or is none. */
  replace(service: string, before: IndexedEntry | undefined, after: IndexedEntry | undefined): void {
    if (before === after) return
    if (after !== undefined) this.#add(service, after)
    if (before !== undefined) this.#remove(service, before)
  }

  /** True when any tenant of the tree has an entry of the service, a mask included. */
  hasService(name: string): boolean {
    return this.#services.has(name)
  }

  /** The service whose endpoint is at an address; undefined when it is none of the system's. `host`: lower case, IPv6 without brackets. */
  serviceAt(host: string, port: number): string | undefined {
    return this.#addresses.get(addressKey(host, port))?.service
  }

  #add(service: string, entry: IndexedEntry): void {
    this.#services.set(service, (this.#services.get(service) ?? 0) + 1)
    for (const { host, port } of entry.endpoints) {
      const key = addressKey(host, port)
      const known = this.#addresses.get(key)
      if (known === undefined) this.#addresses.set(key, { service, count: 1 })
      else known.count += 1
    }
  }

  #remove(service: string, entry: IndexedEntry): void {
    const left = (this.#services.get(service) ?? 0) - 1
    if (left > 0) this.#services.set(service, left)
    else this.#services.delete(service)
    for (const { host, port } of entry.endpoints) {
      const key = addressKey(host, port)
      const known = this.#addresses.get(key)
      if (known === undefined) continue
      known.count -= 1
      if (known.count === 0) this.#addresses.delete(key)
    }
  }
}

function addressKey(host: string, port: number): string {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  return `${bare.toLowerCase()} ${port}`
}
