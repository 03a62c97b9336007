import type { Endpoint } from '@tributary/contract'
import { failure } from '../../errors.js'
import { isUnserved } from './unserved-addresses.js'
import type { GatewayAddress } from './gateway-address.js'

/** Who answers a service in an environment. A masked one has no endpoint; neither has one whose owner has no live copy. */
export interface GatewayResolution {
  readonly state: 'own' | 'inherited' | 'masked'
  readonly owner: string
  readonly endpoint: Endpoint | undefined
}

/** A service as an environment sees it, for its page. */
export interface GatewayService {
  readonly service: string
  readonly state: 'own' | 'inherited' | 'masked'
  readonly owner: string
}

/** What the gateway asks for every request: answered from memory. */
export interface GatewayDirectory {
  /** Undefined when nobody in the environment's chain has the service. */
  resolve(service: string, environment: string): GatewayResolution | undefined
  listServices(environment: string): readonly GatewayService[]
}

/** A service that a request goes to. */
export interface GatewayTarget {
  readonly environment: string
  readonly service: string
  readonly owner: string
  readonly endpoint: Endpoint
}

type ServiceAddress = Extract<GatewayAddress, { kind: 'service' }>

/**
 * Who answers the request now.
 * @throws AppError `GATEWAY_SERVICE_UNKNOWN` (lists the services), `GATEWAY_SERVICE_MASKED` (by whom), `GATEWAY_UPSTREAM_DOWN`.
 */
export function findTarget(directory: GatewayDirectory, address: ServiceAddress): GatewayTarget {
  const { environment, service } = address
  const found = directory.resolve(service, environment)
  if (found === undefined) throw unknownService(directory, address)
  const { state, owner, endpoint } = found
  if (state === 'masked') {
    throw failure(
      'GATEWAY_SERVICE_MASKED',
      `${service} is masked in ${environment} by ${owner}: it is hidden on purpose, and nothing falls back`,
      {
        details: { environment, service, maskedBy: owner },
      },
    )
  }
  if (endpoint === undefined) {
    throw failure('GATEWAY_UPSTREAM_DOWN', `${service} of ${owner} has no address; see its environment's conditions`, {
      details: { environment, service, owner },
    })
  }
  if (endpoint.protocol !== 'http' && endpoint.protocol !== 'https') {
    throw failure(
      'GATEWAY_UPSTREAM_DOWN',
      `${service} of ${owner} speaks ${endpoint.protocol}, which the gateway does not pass on; call ${endpoint.host}:${endpoint.port}`,
      {
        details: { environment, service, owner },
      },
    )
  }
  if (isUnserved(endpoint.host)) {
    throw failure(
      'GATEWAY_UPSTREAM_DOWN',
      `${service} of ${owner} says that it is at the link-local address ${endpoint.host}, which the gateway asks for nobody; register another`,
      { details: { environment, service, owner } },
    )
  }
  return { environment, service, owner, endpoint }
}

function unknownService(directory: GatewayDirectory, address: ServiceAddress): Error {
  const services = directory.listServices(address.environment).map(({ service }) => service)
  const known = services.length === 0 ? 'it has no services yet' : `it has ${services.join(', ')}`
  return failure(
    'GATEWAY_SERVICE_UNKNOWN',
    `${address.environment} has no service ${JSON.stringify(address.service.slice(0, 63))}; ${known}`,
    {
      details: { environment: address.environment, services },
    },
  )
}
