import type { DesiredServices } from './desired-services.js'
import { wantService, type EnvironmentRecord, type ServiceRecord } from './environment-record.js'
import { ownMember } from './own-member.js'

/** Own services as they are wanted; those that are neither wanted nor kept stay until the deploy has removed them. */
export function wantedServices(
  record: EnvironmentRecord,
  desired: DesiredServices,
): Readonly<Record<string, ServiceRecord>> {
  const services: Record<string, ServiceRecord> = { ...record.services }
  for (const { service, repository, commitSha, defined } of desired.services) {
    const { directory, definition } = defined
    services[service] = wantService(ownMember(services, service), {
      name: service,
      repository,
      directory,
      wantedCommit: commitSha,
      definition,
    })
  }
  for (const { service, repository, message } of desired.invalid) {
    if (service === undefined || desired.services.some((one) => one.service === service)) continue
    const wantedCommit = record.heads[repository] ?? ''
    const definition = { apiVersion: 'tributary/v1', kind: 'Service', name: service } as const
    const before =
      ownMember(services, service) ??
      wantService(undefined, { name: service, repository, directory: '', wantedCommit, definition })
    services[service] = { ...before, wantedCommit, invalid: message }
  }
  return dropForgotten(services, desired)
}

/** A service that never ran and is wanted no longer leaves nothing to remove. */
function dropForgotten(
  services: Readonly<Record<string, ServiceRecord>>,
  desired: DesiredServices,
): Readonly<Record<string, ServiceRecord>> {
  const wanted = new Set([
    ...desired.services.map(({ service }) => service),
    ...desired.invalid.map(({ service }) => service),
    ...desired.kept,
  ])
  return Object.fromEntries(
    Object.entries(services)
      .filter(([name, service]) => wanted.has(name) || service.deployed !== null)
      .map(([name, service]) => [name, service]),
  )
}
