import type { Endpoint } from '@tributary/contract'
import { deepFreeze } from '../freeze.js'

/** Where calls to a service go, for one tenant. Frozen, and the same object until something changes. */
export interface Resolution {
  readonly service: string
  /** The tenant it was resolved for: the one asked for, or this process's own when that one is unknown. */
  readonly tenant: string
  /** `missing`: no tenant of the chain has an entry (or nothing is held yet). `masked`: hidden on purpose. */
  readonly state: 'own' | 'inherited' | 'masked' | 'missing'
  /** The tenant whose entry it is, or that masks it; null when missing. */
  readonly owner: string | null
  /** All endpoints that fit what was asked for, in the owner's order; empty when masked or missing. */
  readonly endpoints: readonly Readonly<Endpoint>[]
  /** The first HTTP endpoint, else the first endpoint, as a URL without a trailing slash: `http://10.0.0.7:8080`. */
  readonly url?: string
  /** One sentence for people. */
  readonly reason: string
  /** Version and commit of the owner's copy, when known. */
  readonly version?: string
  readonly commitSha?: string
}

/** What a resolution is made of before endpoints are chosen. */
export type ResolutionFacts = Omit<Resolution, 'url'>

/** Limits a resolution to endpoints of a port name, of a protocol, or both. */
export interface EndpointFilter {
  /** As `ports[].name` in the service definition. */
  readonly port?: string
  readonly protocol?: Endpoint['protocol']
}

/** Freezes the facts with the URL of the primary endpoint. */
export function makeResolution(facts: ResolutionFacts): Resolution {
  const primary = primaryEndpoint(facts.endpoints)
  return deepFreeze(primary === undefined ? { ...facts } : { ...facts, url: endpointUrl(primary) })
}

/** A resolution with only the endpoints that fit; the state stays, because the entry is there all the same. */
export function filterResolution(resolution: Resolution, filter: EndpointFilter): Resolution {
  const endpoints = resolution.endpoints.filter((endpoint) => fits(endpoint, filter))
  const { url: _url, ...facts } = resolution
  const found = endpoints.length > 0 || resolution.endpoints.length === 0
  const reason = found ? facts.reason : `${facts.reason}, but no endpoint of it is ${describeFilter(filter)}`
  return makeResolution({ ...facts, endpoints, reason })
}

/** The endpoints that take turns: those with the primary one's port name and protocol, so that HTTP and gRPC never mix. */
export function candidates(resolution: Resolution): readonly Readonly<Endpoint>[] {
  const primary = primaryEndpoint(resolution.endpoints)
  if (primary === undefined) return []
  return resolution.endpoints.filter(({ name, protocol }) => name === primary.name && protocol === primary.protocol)
}

/** `http://host:port`; IPv6 literals in brackets. */
export function endpointUrl(endpoint: Readonly<Endpoint>): string {
  const host = endpoint.host.includes(':') && !endpoint.host.startsWith('[') ? `[${endpoint.host}]` : endpoint.host
  return `${endpoint.protocol}://${host}:${endpoint.port}`
}

function primaryEndpoint(endpoints: readonly Readonly<Endpoint>[]): Readonly<Endpoint> | undefined {
  return endpoints.find(({ protocol }) => protocol === 'http' || protocol === 'https') ?? endpoints[0]
}

function fits(endpoint: Readonly<Endpoint>, filter: EndpointFilter): boolean {
  if (filter.port !== undefined && endpoint.name !== filter.port) return false
  return filter.protocol === undefined || endpoint.protocol === filter.protocol
}

function describeFilter(filter: EndpointFilter): string {
  const port = filter.port === undefined ? [] : [`on port ${filter.port}`]
  const protocol = filter.protocol === undefined ? [] : [`of protocol ${filter.protocol}`]
  return [...port, ...protocol].join(' and ')
}
