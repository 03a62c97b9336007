import type { PlanAction } from '@tributary/contract'
import type { EnvironmentRecord } from './environment-record.js'

/** In a word why a deploy run is begun: created, base-moved, retry, rollback, health or push. */
export function triggerOf(record: EnvironmentRecord, actions: readonly PlanAction[]): string {
  const kinds = new Set(actions.map(({ action }) => action))
  if (kinds.has('create-environment')) return 'created'
  if (kinds.has('set-base')) return 'base-moved'
  const services = Object.values(record.services)
  if (services.some((service) => service.failure !== null)) return 'retry'
  if (services.some((service) => service.rolledBack !== null)) return 'rollback'
  return kinds.has('deploy-service') || kinds.has('remove-service')
    ? 'push'
    : kinds.has('restart-service')
      ? 'health'
      : 'push'
}
