import { canonicalJson, type ServiceEntry, type Tenant } from '@tributary/contract'
import { AppError } from '@tributary/kit'
import type { EnvironmentRecord, ServiceRecord } from '../domain/environment-record.js'
import type { ObservedEnvironment, ObservedService } from '../domain/plan.js'
import type { WorkloadStatus } from '../ports/platform.js'
import type { EnvironmentDependencies } from './dependencies.js'
import { listWorkloads } from './without-secrets.js'

/** Metadata that marks an entry as one that the env-manager registered; others are people's own. */
export const MANAGED_BY = { key: 'tributary-managed-by', value: 'env-manager' } as const

/** What is there of an environment, found by looking. */
export interface Observation {
  readonly observed: ObservedEnvironment
  readonly workloads: readonly WorkloadStatus[]
  readonly entries: readonly ServiceEntry[]
  readonly tenant: Tenant | undefined
}

/** Looks at the config center and the platform. Rejects when the config center does not answer: then nothing is known. */
export async function observeEnvironment(
  deps: Pick<EnvironmentDependencies, 'configCenter' | 'platform' | 'store' | 'offeredSecrets'>,
  record: EnvironmentRecord,
): Promise<Observation> {
  const [tenant, listed] = await Promise.all([
    unlessNotFound(deps.configCenter.getTenant(record.name)),
    unlessNotFound(deps.configCenter.listEntries(record.name)),
  ])
  const entries = tenant === undefined ? [] : (listed?.entries ?? [])
  const workloads = await listWorkloads(deps, record.name)
  const established = record.established && tenant !== undefined
  const masked = record.masked.filter((service) =>
    entries.some((one) => one.service === service && one.state === 'masked'),
  )
  const observed: ObservedEnvironment = {
    unfinished: (record.unfinished ?? null) !== null,
    state: record.tombstone !== null ? 'terminating' : established ? 'established' : 'recorded',
    base: tenant === undefined ? null : tenant.base,
    services: observeServices(record, { entries, workloads }),
    masked,
  }
  return { observed, workloads, entries, tenant }
}

/** Undefined instead of a rejection of kind `not_found`. */
export async function unlessNotFound<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof AppError && error.kind === 'not_found') return undefined
    throw error
  }
}

interface Found {
  readonly entries: readonly ServiceEntry[]
  readonly workloads: readonly WorkloadStatus[]
}

/** Recorded services, and strays: copies and managed entries of services that the record does not know (any more). */
function observeServices(record: EnvironmentRecord, found: Found): readonly ObservedService[] {
  const recorded = Object.values(record.services).filter((service) => hasTrace(service, found))
  const known = new Set(Object.keys(record.services))
  const strays = new Set([
    ...found.workloads.map((workload) => workload.service),
    ...found.entries.filter(isManaged).map((entry) => entry.service),
  ])
  return [
    ...recorded.map((service) => observeService(service, found, isUnfinished(record, service.name))),
    ...[...strays].filter((service) => !known.has(service)).map(strayService),
  ]
}

/** An invalid service that never ran leaves nothing to remove. */
function hasTrace(service: ServiceRecord, found: Found): boolean {
  return (
    service.deployed !== null ||
    service.failure !== null ||
    found.workloads.some((workload) => workload.service === service.name) ||
    found.entries.some((entry) => entry.service === service.name && isManaged(entry))
  )
}

function isUnfinished({ unfinished }: EnvironmentRecord, service: string): boolean {
  return unfinished?.some((copy) => copy.service === service) === true
}

function observeService(service: ServiceRecord, { entries, workloads }: Found, unfinished: boolean): ObservedService {
  const copies = workloads.filter((workload) => workload.service === service.name)
  const [copy] = copies
  const entry = entries.find((one) => one.service === service.name)
  const serving =
    copies.length === 1 &&
    copy !== undefined &&
    copy.workloadId === service.deployed?.workloadId &&
    copy.health !== 'stopped' &&
    service.restartRequested !== true &&
    !unfinished &&
    entry?.state === 'present' &&
    leadsTo(entry, copy)
  return {
    service: service.name,
    commitSha: service.deployed?.commitSha ?? null,
    serving,
    present: copies.length > 0 || (entry !== undefined && isManaged(entry)),
    restartRequested: service.restartRequested === true,
    image: service.deployed?.image,
    unfinished,
    gaveUpOn: service.failure?.final === true ? service.failure.commitSha : null,
  }
}

/** The declared endpoints come first; leased instances of a developer's machine may follow them. */
function leadsTo(entry: ServiceEntry, copy: WorkloadStatus): boolean {
  return canonicalJson(entry.endpoints.slice(0, copy.endpoints.length)) === canonicalJson(copy.endpoints)
}

function strayService(service: string): ObservedService {
  return { service, commitSha: null, serving: false, present: true, restartRequested: false, gaveUpOn: null }
}

/** True for entries that the env-manager registered. */
export function isManaged(entry: ServiceEntry): boolean {
  return entry.metadata?.[MANAGED_BY.key] === MANAGED_BY.value
}
