import { builtImageOf, type DesiredService, type DesiredServices } from './desired-services.js'
import { wantService, type EnvironmentRecord, type ServiceRecord } from './environment-record.js'
import { ownMember } from './own-member.js'

/** Own services as they are wanted; those that are neither wanted nor kept stay until the deploy has removed them. */
export function wantedServices(
  record: EnvironmentRecord,
  desired: DesiredServices,
): Readonly<Record<string, ServiceRecord>> {
  const services: Record<string, ServiceRecord> = { ...record.services }
  for (const one of desired.services) {
    services[one.service] = { ...wanted(services, one), wantedImage: builtImageOf(one) ?? null }
  }
  for (const one of desired.awaiting) services[one.service] = { ...wanted(services, one), waitsForImage: true }
  for (const { service, repository, message } of desired.invalid) {
    if (service === undefined || isDefined(desired, service)) continue
    const wantedCommit = record.heads[repository] ?? ''
    const definition = { apiVersion: 'tributary/v1', kind: 'Service', name: service } as const
    const before =
      ownMember(services, service) ??
      wantService(undefined, { name: service, repository, directory: '', wantedCommit, definition })
    services[service] = { ...before, wantedCommit, invalid: message }
  }
  return dropForgotten(services, desired)
}

function wanted(
  services: Readonly<Record<string, ServiceRecord>>,
  { service, repository, commitSha, defined }: DesiredService,
): ServiceRecord {
  const { directory, definition } = defined
  const identity = { name: service, repository, directory, wantedCommit: commitSha, definition }
  return wantService(ownMember(services, service), identity)
}

function isDefined({ services, awaiting }: DesiredServices, name: string): boolean {
  return [...services, ...awaiting].some(({ service }) => service === name)
}

/** A service that never ran and is wanted no longer leaves nothing to remove. */
function dropForgotten(
  services: Readonly<Record<string, ServiceRecord>>,
  desired: DesiredServices,
): Readonly<Record<string, ServiceRecord>> {
  const stays = new Set([
    ...[...desired.services, ...desired.awaiting].map(({ service }) => service),
    ...desired.invalid.map(({ service }) => service),
    ...desired.kept,
  ])
  return Object.fromEntries(
    Object.entries(services)
      .filter(([name, service]) => stays.has(name) || service.deployed !== null)
      .map(([name, service]) => [name, service]),
  )
}
