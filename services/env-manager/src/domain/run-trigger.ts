import type { PlanAction } from '@tributary/contract'
import type { EnvironmentRecord } from './environment-record.js'
import { ownMember } from './own-member.js'

/** In a word why a deploy run is begun: created, base-moved, retry, rollback, restart, wake, health, image or push. */
export function triggerOf(record: EnvironmentRecord, actions: readonly PlanAction[]): string {
  const kinds = new Set(actions.map(({ action }) => action))
  if (kinds.has('create-environment')) return 'created'
  if (kinds.has('set-base')) return 'base-moved'
  const services = Object.values(record.services)
  if (services.some((service) => service.failure !== null)) return 'retry'
  if (services.some((service) => service.rolledBack !== null)) return 'rollback'
  if (services.some((service) => service.restartRequested === true)) return 'restart'
  if (isWoken(record) && kinds.has('restart-service')) return 'wake'
  if (isImage(record, actions)) return 'image'
  return kinds.has('deploy-service') || kinds.has('remove-service')
    ? 'push'
    : kinds.has('restart-service')
      ? 'health'
      : 'push'
}

/** Nothing has happened since it was woken. */
function isWoken({ wokenAt, services }: EnvironmentRecord): boolean {
  const deployedAt = Object.values(services).flatMap(({ history }) => history.slice(0, 1).map(({ at }) => at))
  return (wokenAt ?? 0) >= Math.max(1, ...deployedAt)
}

/** Everything that is deployed is so because its image was named. */
function isImage({ services }: EnvironmentRecord, actions: readonly PlanAction[]): boolean {
  const deployed = actions.flatMap(({ action, service }) => (action === 'deploy-service' ? [service ?? ''] : []))
  return deployed.length > 0 && deployed.every((service) => ownMember(services, service)?.onImage === true)
}
