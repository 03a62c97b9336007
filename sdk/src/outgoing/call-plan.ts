import type { Endpoint } from '@tributary/contract'
import type { EndpointFilter } from '../resolve/resolution.js'
import type { Tributary } from '../tributary.js'

/** Where a program means to send a call. */
export interface CallTarget {
  /** Lower case; IPv6 in brackets or without. */
  readonly host: string
  /** Undefined: the protocol's default. */
  readonly port: number | undefined
  readonly defaultPort: number
  /** Protocols that the call may use, the wanted one first: an endpoint of another one is taken only when the service has none of it. */
  readonly protocols: readonly [Endpoint['protocol'], ...Endpoint['protocol'][]]
}

/**
 * | kind | the target is | goes to | may bear the tenant |
 * | --- | --- | --- | --- |
 * | `service` | the name of a service | `endpoint`, by the tenant of the request | yes |
 * | `address` | an endpoint of a service | where it says | yes |
 * | `outside` | anything else | where it says | no |
 */
export type CallPlan =
  | { readonly kind: 'service'; readonly service: string; readonly endpoint: Readonly<Endpoint> }
  | { readonly kind: 'address'; readonly service: string; readonly endpoint?: undefined }
  | { readonly kind: 'outside' }

const OUTSIDE: CallPlan = { kind: 'outside' }

/**
 * Decides about a call made now, in the current routing context.
 * @throws AppError `SERVICE_MASKED`, `SERVICE_NOT_FOUND`: the name is a service's, but this tenant cannot call it
 */
export function planCall(client: Tributary, target: CallTarget): CallPlan {
  const { host, port, defaultPort } = target
  // Nobody may take over what every program calls its own machine.
  if (host !== 'localhost' && client.routing.hasService(host)) {
    return { kind: 'service', service: host, endpoint: pickEndpoint(client, host, target) }
  }
  const service = client.routing.serviceAt(host, port ?? defaultPort)
  return service === undefined ? OUTSIDE : { kind: 'address', service }
}

/**
 * The endpoint of a service for the tenant of the current context.
 * @throws AppError `SERVICE_MASKED`, `SERVICE_NOT_FOUND`, `SDK_NOT_READY`
 */
export function pickEndpoint(client: Tributary, service: string, target: CallTarget): Readonly<Endpoint> {
  const { port, protocols } = target
  const { endpoints } = client.resolve(service)
  const [first] = endpoints
  // Nearly every service has one, whatever port the call names.
  if (first !== undefined && endpoints.length === 1 && first.protocol === protocols[0]) return first
  if (port !== undefined) {
    const named = endpoints.find((one) => one.port === port && protocols.includes(one.protocol))
    if (named !== undefined) return named
  }
  const protocol = protocols.find((wanted) => endpoints.some((one) => one.protocol === wanted))
  const picked = protocol === undefined ? undefined : client.pick(service, { protocol })
  if (picked !== undefined) return picked
  throw noEndpoint(client, service, first === undefined ? {} : { protocol: protocols[0] })
}

/** The endpoint of a service that a call goes to now, if it is not only the one that has failed. */
export function endpointElsewhere(
  client: Tributary,
  target: CallTarget,
  failed: Readonly<Pick<Endpoint, 'host' | 'port'>>,
): Readonly<Endpoint> | undefined {
  try {
    // Endpoints take turns, and other calls take them too: after as many tries as there are endpoints, it is the only one.
    for (let tries = client.resolve(target.host).endpoints.length; tries > 0; tries -= 1) {
      const plan = planCall(client, target)
      if (plan.kind !== 'service') return undefined
      if (plan.endpoint.host !== failed.host || plan.endpoint.port !== failed.port) return plan.endpoint
    }
  } catch {
    // Masked or missing by now: the caller hears of the failed connection, which is what has happened to its call.
  }
  return undefined
}

/** The error is the one that `urlFor` throws, so that a call by name fails as a call by address does. */
function noEndpoint(client: Tributary, service: string, filter: EndpointFilter): unknown {
  try {
    return new Error(`${service} has become reachable: ${client.urlFor(service, '/', filter)}`)
  } catch (error) {
    return error
  }
}
