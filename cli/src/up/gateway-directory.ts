import { chainOf, resolveService, resolveServices, type CatalogReader } from '@tributary/config-center'
import type { GatewayDirectory } from '@tributary/env-manager'

/**
 * What the gateway asks for each request, answered from the catalog of the config center in this process: as new as the config center
 * itself. Several endpoints of a service take turns.
 */
export function createGatewayDirectory(catalog: () => CatalogReader): GatewayDirectory {
  let turn = 0
  return {
    resolve: (service, environment) => {
      const current = catalog()
      const found = resolveService(current, chainOf(current, environment), service)
      if (found === undefined) return undefined
      const endpoints = found.endpoints.filter(({ protocol }) => protocol === 'http' || protocol === 'https')
      turn = (turn + 1) % Number.MAX_SAFE_INTEGER
      const endpoint = endpoints[turn % Math.max(1, endpoints.length)] ?? found.endpoints[0]
      return { state: found.state, owner: found.owner, endpoint }
    },
    listServices: (environment) => {
      const current = catalog()
      const services = [...resolveServices(current, chainOf(current, environment))]
      return services.map(([service, { state, owner }]) => ({ service, state, owner }))
    },
  }
}
