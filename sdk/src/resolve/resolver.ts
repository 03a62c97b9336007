import type { Endpoint, StreamChannel } from '@tributary/contract'
import { MAX_CHAIN_LENGTH } from '@tributary/contract/light'
import { sdkError } from '../errors.js'
import type { Directory } from './directory.js'
import {
  candidates,
  endpointUrl,
  filterResolution,
  makeResolution,
  type EndpointFilter,
  type Resolution,
  type ResolutionFacts,
} from './resolution.js'

/** For whom, and to which kind of endpoint. */
export interface ResolveOptions extends EndpointFilter {
  /**
   * The tenant of the request. Default: that of the current routing context, else this process's own. One that the route table does not
   * have counts as the own.
   */
  readonly tenant?: string
}

/** A remembered resolution with what is derived from it. */
interface Slot {
  readonly resolution: Resolution
  readonly turns: readonly Readonly<Endpoint>[]
  next: number
  filtered: Map<string, Slot> | undefined
}

/** Services without an entry that are remembered for one tenant: names may come from requests. */
const MAX_MISSING_PER_TENANT = 64
/** Resolved services that are remembered for the self-check. */
const MAX_ASKED = 200
/** A larger change of the route table, such as a snapshot, forgets all: one by one would cost keys times tenants. */
const MAX_KEYS_ONE_BY_ONE = 100
/** Port and protocol filters that are remembered for one resolution. */
const MAX_FILTERS = 32

/**
 * Resolves services from memory. The hot path is two map reads: resolutions are made once and kept until a delta names them.
 *
 * - The own tenant is resolved from the view, any other one from the route table: the nearest tenant of its chain that has an
 *   entry wins, whole.
 * - A tenant that the table does not have (just torn down, of another tree, or invented by a client) is resolved as the own one.
 *   All of them share one cache, so that invented names cost no memory.
 */
export class Resolver {
  readonly #ownTenant: string
  readonly #directory: Directory
  readonly #own = new TenantSlots()
  readonly #unknown = new TenantSlots()
  readonly #tenants = new Map<string, TenantSlots>()
  readonly #asked = new Set<string>()

  constructor(ownTenant: string, directory: Directory) {
    this.#ownTenant = ownTenant
    this.#directory = directory
  }

  /** Services that were resolved for the own tenant and found or masked, in no particular order. */
  get resolvedServices(): readonly string[] {
    return [...this.#asked]
  }

  /** Never throws and never waits. `tenant` counts when the options name none; undefined: the own. */
  resolve(service: string, options?: ResolveOptions, tenant?: string): Resolution {
    return this.#slot(service, options, tenant).resolution
  }

  /** Every service that a tenant sees, masked ones included, in order of their names. Undefined or not in the route table: the own tenant. */
  services(tenant?: string): readonly Resolution[] {
    const isOwn = tenant === undefined || tenant === this.#ownTenant || this.#directory.findTenant(tenant) === undefined
    const names = isOwn ? this.#directory.serviceNames : this.#directory.routedServiceNames(tenant)
    return [...names].sort().map((name) => this.resolve(name, undefined, tenant))
  }

  /** The endpoint whose turn it is among those of the primary port; undefined when there is none. */
  pick(service: string, options?: ResolveOptions, tenant?: string): Readonly<Endpoint> | undefined {
    const slot = this.#slot(service, options, tenant)
    const endpoint = slot.turns[slot.next]
    slot.next = slot.next + 1 < slot.turns.length ? slot.next + 1 : 0
    return endpoint
  }

  /**
   * The URL of a path at the endpoint whose turn it is.
   * @throws AppError `SERVICE_MASKED`, `SERVICE_NOT_FOUND`, `SDK_NOT_READY`
   */
  urlFor(service: string, path: string, options?: ResolveOptions): string {
    const endpoint = this.pick(service, options)
    if (endpoint === undefined) throw this.#noEndpoint(this.resolve(service, options), path)
    // The slash keeps a path such as `@elsewhere/` from becoming part of the authority.
    return endpointUrl(endpoint) + (path === '' || path.startsWith('/') ? path : `/${path}`)
  }

  /** Forgets what depends on these items, which the directory has taken already. */
  invalidate(channel: StreamChannel, keys: readonly string[]): void {
    if (channel === 'routes' && keys.length > MAX_KEYS_ONE_BY_ONE) return this.#tenants.clear()
    for (const key of keys) {
      const [kind = '', first = '', second = ''] = key.split('/')
      if (channel === 'view') this.#invalidateView(kind, first)
      else if (kind === 'tenant') this.#tenants.clear()
      else if (kind === 'entry') this.#forgetService(second)
    }
  }

  #invalidateView(kind: string, service: string): void {
    for (const slots of [this.#own, this.#unknown]) {
      if (kind === 'service') slots.delete(service)
      // The chain is named in the reasons of all resolutions; it also comes with the first view.
      else if (kind === 'chain') slots.clear()
    }
  }

  #forgetService(service: string): void {
    for (const slots of this.#tenants.values()) slots.delete(service)
  }

  #slot(service: string, options: ResolveOptions | undefined, contextTenant?: string): Slot {
    const tenant = options?.tenant ?? contextTenant
    const slots = tenant === undefined || tenant === this.#ownTenant ? this.#own : this.#slotsOf(tenant)
    const slot = slots.get(service) ?? this.#fill(slots, service, tenant)
    if (options === undefined || (options.port === undefined && options.protocol === undefined)) return slot
    return filteredSlot(slot, options)
  }

  #slotsOf(tenant: string): TenantSlots {
    const known = this.#tenants.get(tenant)
    if (known !== undefined) return known
    if (this.#directory.findTenant(tenant) === undefined) return this.#unknown
    const slots = new TenantSlots()
    this.#tenants.set(tenant, slots)
    return slots
  }

  #fill(slots: TenantSlots, service: string, tenant: string | undefined): Slot {
    const facts = this.#facts(slots, service, tenant)
    const slot = makeSlot(makeResolution(facts))
    slots.set(service, slot)
    if (slots === this.#own && facts.state !== 'missing' && this.#asked.size < MAX_ASKED) this.#asked.add(service)
    return slot
  }

  #facts(slots: TenantSlots, service: string, tenant: string | undefined): ResolutionFacts {
    if (slots === this.#own || tenant === undefined) return this.#ownFacts(service)
    if (slots !== this.#unknown) return this.#routedFacts(service, tenant)
    const facts = this.#ownFacts(service)
    // The name is left out: it may be hostile, and the resolution is shared by all unknown tenants.
    return {
      ...facts,
      reason: `the tenant asked for is not in the route table, so ${this.#ownTenant} counts: ${facts.reason}`,
    }
  }

  #ownFacts(service: string): ResolutionFacts {
    const tenant = this.#ownTenant
    const found = this.#directory.findService(service)
    if (found === undefined) return missing(service, tenant, this.#directory.chain)
    const { state, owner, version, commitSha } = found
    return {
      service,
      tenant,
      state,
      owner,
      endpoints: state === 'masked' ? [] : [...found.endpoints],
      reason: explain(state, { service, tenant, owner }),
      ...(version === undefined ? {} : { version }),
      ...(commitSha === undefined ? {} : { commitSha }),
    }
  }

  #routedFacts(service: string, tenant: string): ResolutionFacts {
    const chain: string[] = []
    let owner: string | null = tenant
    while (owner !== null && chain.length < MAX_CHAIN_LENGTH) {
      chain.push(owner)
      const found = this.#directory.findTenant(owner)
      const entry = found?.entries.get(service)
      if (entry !== undefined) {
        const state = entry.state === 'masked' ? 'masked' : owner === tenant ? 'own' : 'inherited'
        const endpoints = state === 'masked' ? [] : [...entry.endpoints]
        return { service, tenant, state, owner, endpoints, reason: explain(state, { service, tenant, owner }) }
      }
      owner = found?.base ?? null
    }
    return missing(service, tenant, chain)
  }

  #noEndpoint(resolution: Resolution, path: string): Error {
    const { service, tenant, state, reason } = resolution
    const attempt = `cannot make the URL of ${path || '/'} at ${service} for ${tenant}: ${reason}`
    if (this.#directory.chain.length === 0) {
      return sdkError('SDK_NOT_READY', `${attempt}; wait for the state READY, or start with a disk snapshot`)
    }
    if (state === 'masked') {
      return sdkError('SERVICE_MASKED', `${attempt}; remove the mask or handle its absence`, {
        details: { service, tenant },
      })
    }
    const advice = 'deploy or register it, or check the name, the port and the protocol'
    return sdkError('SERVICE_NOT_FOUND', `${attempt}; ${advice}`, { details: { service, tenant } })
  }
}

/** The remembered slots of one tenant; those of missing services are bounded. */
class TenantSlots {
  readonly #slots = new Map<string, Slot>()
  readonly #missing = new Set<string>()

  get(service: string): Slot | undefined {
    return this.#slots.get(service)
  }

  set(service: string, slot: Slot): void {
    if (slot.resolution.state === 'missing') {
      if (this.#missing.size >= MAX_MISSING_PER_TENANT) return
      this.#missing.add(service)
    }
    this.#slots.set(service, slot)
  }

  delete(service: string): void {
    this.#slots.delete(service)
    this.#missing.delete(service)
  }

  clear(): void {
    this.#slots.clear()
    this.#missing.clear()
  }
}

function makeSlot(resolution: Resolution): Slot {
  return { resolution, turns: candidates(resolution), next: 0, filtered: undefined }
}

function filteredSlot(slot: Slot, filter: EndpointFilter): Slot {
  const key = `${filter.protocol ?? ''}/${filter.port ?? ''}`
  const known = slot.filtered?.get(key)
  if (known !== undefined) return known
  const made = makeSlot(filterResolution(slot.resolution, filter))
  slot.filtered ??= new Map()
  if (slot.filtered.size < MAX_FILTERS) slot.filtered.set(key, made)
  return made
}

function missing(service: string, tenant: string, chain: readonly string[]): ResolutionFacts {
  const reason =
    chain.length === 0
      ? 'no view of the config center is held yet'
      : `no tenant of the chain ${chain.join(' -> ')} has an entry of ${service}`
  return { service, tenant, state: 'missing', owner: null, endpoints: [], reason }
}

function explain(
  state: 'own' | 'inherited' | 'masked',
  facts: { readonly service: string; readonly tenant: string; readonly owner: string },
): string {
  const { service, tenant, owner } = facts
  if (state === 'own') return `${tenant} has its own ${service}`
  if (state === 'masked') return `${service} is masked by ${owner}`
  return `${tenant} has no ${service} of its own and falls back to ${owner}`
}
