import type { Endpoint, ServiceEntry } from '@tributary/contract'
import { servicePortsOf } from './service-ports.js'

/** A tenant of a chain, with the entries of its own. */
export interface ChainLink {
  readonly tenant: string
  readonly entries: readonly Pick<ServiceEntry, 'service' | 'state' | 'endpoints'>[]
}

/** Ports of a Service that lead to the same port of its own pods, and which port of the other Service answers in their place. */
export interface RoutedPorts {
  readonly ports: readonly number[]
  readonly own: number
  readonly to: number
}

/** Where requests of one environment go that arrive at the Service of a service in another one below it. */
export interface HeaderRoute {
  /** The environment whose Service it stands at. */
  readonly at: string
  readonly service: string
  /** The environment whose Service answers; null: none does, the service is masked. */
  readonly to: string | null
  readonly ports: readonly RoutedPorts[]
}

/** The header routes of one environment. */
export interface HeaderPlan {
  readonly routes: readonly HeaderRoute[]
  /** Services that a mesh cannot lead to, with the reason for a person. */
  readonly unroutable: readonly { readonly service: string; readonly message: string }[]
}

/** Which host name the Service of a service has in an environment. */
export type HostOf = (environment: string, service: string) => string

type Entry = ChainLink['entries'][number]

/** A mesh reads headers of these. */
const READABLE: ReadonlySet<Endpoint['protocol']> = new Set<Endpoint['protocol']>(['http', 'grpc'])

/**
 * Where the requests of the chain's first tenant go in a mesh: as the config center resolves them. The nearest tenant with an entry answers (SPEC 3.1),
 * so every tenant further down that has the service too gets a route at its Service. Pure; ordered by service, then from near to far.
 *
 * | nearest entry | entries below it | routes |
 * | --- | --- | --- |
 * | present, of a Service | of Services | from each of them to it |
 * | masked | of Services | from each of them to nobody |
 * | present, of a program elsewhere | of Services | none: a mesh leads to Services only; it is told |
 * | any | none | none |
 */
export function planHeaderRoutes(chain: readonly ChainLink[], hostOf: HostOf): HeaderPlan {
  const services = [...new Set(chain.flatMap(({ entries }) => entries.map(({ service }) => service)))].sort()
  const routes: HeaderRoute[] = []
  const unroutable: { readonly service: string; readonly message: string }[] = []
  for (const service of services) {
    const [owner, ...below] = chain.flatMap(({ tenant, entries }) => {
      const entry = entries.find((one) => one.service === service)
      return entry === undefined ? [] : [{ tenant, entry, host: hostOf(tenant, service) }]
    })
    const baselines = below.filter(({ entry, host }) => inCluster(entry, host).length > 0)
    if (owner === undefined || baselines.length === 0) continue
    const target = owner.entry.state === 'masked' ? null : inCluster(owner.entry, owner.host)
    if (target !== null && target.length === 0) {
      unroutable.push({ service, message: elsewhere(owner.tenant, owner.entry) })
      continue
    }
    for (const { tenant: at, entry, host } of baselines) {
      const ports = routedPorts(inCluster(entry, host), target)
      const to = target === null ? null : owner.tenant
      if (ports.length > 0) routes.push({ at, service, to, ports })
    }
  }
  return { routes, unroutable }
}

/** Endpoints of the Service itself; leased instances on people's machines may stand beside them. */
function inCluster({ endpoints }: Entry, host: string): readonly Endpoint[] {
  return endpoints.filter((endpoint) => endpoint.host === host)
}

function elsewhere(tenant: string, { service, endpoints }: Entry): string {
  const [first] = endpoints
  const where = first === undefined ? 'has no address' : `is at ${first.host}, which is no Service of the cluster`
  return `${service} of ${tenant} ${where}: the mesh leads its requests as if they had no environment`
}

/** Ports by the name of their endpoint, else by number, else by protocol: a branch may have moved them. */
function routedPorts(at: readonly Endpoint[], target: readonly Endpoint[] | null): readonly RoutedPorts[] {
  const service = servicePortsOf(at)
  const readable = at.filter(({ protocol }) => READABLE.has(protocol))
  return [...new Map(readable.map((endpoint) => [endpoint.port, endpoint])).values()].flatMap((endpoint) => {
    const to = target === null ? endpoint.port : counterpart(endpoint, target)?.port
    const ports = service.filter(({ targetPort }) => targetPort === endpoint.port).map(({ port }) => port)
    return to === undefined ? [] : [{ ports, own: endpoint.port, to }]
  })
}

function counterpart(endpoint: Endpoint, target: readonly Endpoint[]): Endpoint | undefined {
  const readable = target.filter(({ protocol }) => READABLE.has(protocol))
  return (
    readable.find(({ name }) => name === endpoint.name) ??
    readable.find(({ port }) => port === endpoint.port) ??
    readable.find(({ protocol }) => protocol === endpoint.protocol)
  )
}
