import type { Tributary } from '@tributary/sdk'
import type { RouteChanges } from '../../ports/route-changes.js'

/** {@link RouteChanges} by the SDK's route table, in memory. */
export function createRouteChanges(table: Pick<Tributary, 'services' | 'onRoutesChange'>): RouteChanges {
  return {
    fingerprintOf(environment) {
      const services = table.services({ tenant: environment })
      // For a tenant that the table does not have it answers as for its own.
      if (services.some(({ tenant }) => tenant !== environment)) return undefined
      return JSON.stringify(services.map(({ service, state, endpoints }) => [service, state, endpoints]))
    },
    onChange: (handler) => table.onRoutesChange(handler),
  }
}
