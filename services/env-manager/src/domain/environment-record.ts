import type {
  Condition,
  Endpoint,
  Environment,
  EnvironmentService,
  ServiceDefinition,
  Stage,
} from '@tributary/contract'
import { ASLEEP_REASON, derivePhase } from './conditions.js'
import { expiryOf, type Heads, type KnownEnvironment } from './desired-state.js'
import type { Owner } from './owner.js'
import { fallsAsleepAt } from './sleep.js'

/** The copy of a service that serves: what was registered last. */
export interface DeployedCopy {
  readonly commitSha: string
  readonly version: string
  readonly workloadId: string
  readonly endpoints: readonly Endpoint[]
  /** The image that was named to it; undefined: it was deployed on push. */
  readonly image?: string
}

/** A successful deploy, kept for rollback. `at` is epoch milliseconds. */
export interface PastDeploy {
  readonly runId: string
  readonly commitSha: string
  readonly version: string
  readonly at: number
}

/** A service's own deploy that failed. `final`: not tried again at this commit until somebody pushes or asks. */
export interface DeployFailure {
  readonly commitSha: string
  readonly attempts: number
  readonly message: string
  readonly final: boolean
}

/** An own service as it is recorded. */
export interface ServiceRecord {
  readonly name: string
  readonly repository: string
  readonly directory: string
  readonly wantedCommit: string
  readonly dependsOn: readonly string[]
  readonly public: boolean
  readonly deployed: DeployedCopy | null
  readonly health: 'unknown' | 'starting' | 'healthy' | 'unhealthy'
  readonly healthMessage: string | null
  readonly deploying: boolean
  /** Its definition cannot be used now: `file:line: …`. The deployed copy stays. */
  readonly invalid: string | null
  readonly failure: DeployFailure | null
  /** A commit that a person went back to; it holds while the branch stays at `head`. */
  readonly rolledBack: { readonly commitSha: string; readonly head: string } | null
  /** A person wants it stopped and started again. */
  readonly restartRequested?: boolean
  /** It is deployed when its image is named, not when its branch is pushed. */
  readonly onImage?: boolean
  /** It is not deployed at the wanted commit because its image has not been named. */
  readonly waitsForImage?: boolean
  /** The image that was named of the wanted commit; null: none, or it is deployed on push. */
  readonly wantedImage?: string | null
  /** Newest first. */
  readonly history: readonly PastDeploy[]
}

/** A copy that callers were led to by a run that has not ended well: its route or its verification may be missing. */
export interface UnfinishedCopy {
  readonly service: string
  /** What served before that run; null: nothing of the environment. */
  readonly before: DeployedCopy | null
}

/** Everything that the manager remembers of an environment, but its ledger, secrets and runs. Instants are epoch milliseconds. */
export interface EnvironmentRecord {
  readonly name: string
  readonly branch: string
  readonly stage: Stage
  readonly generation: number
  readonly createdAt: number
  readonly lastPushAt: number
  readonly pinned: boolean
  readonly heads: Heads
  /** The tenant's base as it was registered last. */
  readonly base: string | null
  /** The branch that `tributary.yaml` names. */
  readonly declaredBase: string | null
  /** Tenant and space are there. */
  readonly established: boolean
  readonly masked: readonly string[]
  readonly services: Readonly<Record<string, ServiceRecord>>
  readonly conditions: readonly Condition[]
  readonly tombstone: { readonly reason: string; readonly at: number } | null
  readonly url: string | null
  readonly currentRunId: string | null
  readonly lastRunId: string | null
  /** What the last reconcile that found nothing to do was computed from; see `settlementOf`. */
  readonly settledFor: string | null
  /** Grows with each explicit request to look again, so that commits given up on are tried once more. */
  readonly retryRequests: number
  /** Its services are to be stopped. Absent in records of older versions: awake. */
  readonly asleep?: { readonly since: number; readonly reason: 'requested' | 'idle' } | null
  /** What a deploy has published since one got through whole, when that was not done to the end. Null or absent: everything was. */
  readonly unfinished?: readonly UnfinishedCopy[] | null
  /** When it was woken last. */
  readonly wokenAt?: number | null
  /** Its time to live does not end before. */
  readonly keepUntil?: number | null
  /** Who wrote its newest head commit. Absent: its commits have not been read since it was made or since an older version kept it. */
  readonly author?: Owner | null
  /** Whom a person named as its owner, whoever pushes. */
  readonly namedOwner?: Owner | null
}

/** How many past deploys of a service are kept. */
const HISTORY_LENGTH = 20

/** A record of an environment that was just named. */
export function newEnvironmentRecord(
  given: Pick<EnvironmentRecord, 'name' | 'branch' | 'stage' | 'generation' | 'heads'> & { readonly now: number },
): EnvironmentRecord {
  const { now, ...identity } = given
  return {
    ...identity,
    createdAt: now,
    lastPushAt: now,
    pinned: false,
    base: null,
    declaredBase: null,
    established: false,
    masked: [],
    services: {},
    conditions: [],
    tombstone: null,
    url: null,
    currentRunId: null,
    lastRunId: null,
    settledFor: null,
    retryRequests: 0,
  }
}

/** A service's record for the commit and definition that are wanted now, on top of what was recorded. */
export function wantService(
  before: ServiceRecord | undefined,
  wanted: Pick<ServiceRecord, 'name' | 'repository' | 'directory' | 'wantedCommit'> & {
    readonly definition: ServiceDefinition
  },
): ServiceRecord {
  const { definition, ...identity } = wanted
  const failure = before?.failure?.commitSha === wanted.wantedCommit ? before.failure : null
  return {
    deployed: null,
    health: 'unknown',
    healthMessage: null,
    deploying: false,
    rolledBack: null,
    history: [],
    ...before,
    ...identity,
    dependsOn: definition.dependsOn ?? [],
    public: definition.expose?.public ?? false,
    onImage: definition.deploy?.on === 'image',
    waitsForImage: false,
    invalid: null,
    failure,
  }
}

/** Adds a successful deploy to a service's history. */
export function withPastDeploy(history: readonly PastDeploy[], past: PastDeploy): readonly PastDeploy[] {
  return [past, ...history.filter((one) => one.runId !== past.runId)].slice(0, HISTORY_LENGTH)
}

/** What the pass over all environments needs of a record. */
export function knownEnvironment(record: EnvironmentRecord): KnownEnvironment {
  const { name, branch, generation, heads, pinned, lastPushAt, keepUntil = null } = record
  return { name, branch, generation, heads, pinned, lastPushAt, keepUntil, terminating: record.tombstone !== null }
}

/** What the API shows of an environment that its record does not say. Durations are milliseconds. */
export interface EnvironmentSurroundings {
  readonly ttlMs: number | null
  readonly sleepAfterMs: number | null
  /** Epoch milliseconds; null: none is known. */
  readonly lastRequestAt: number | null
  readonly urlOf: (service: string) => string
}

/** The record as the API shows it. */
export function toEnvironment(record: EnvironmentRecord, around: EnvironmentSurroundings): Environment {
  const { ttlMs, lastRequestAt, urlOf } = around
  const isAsleep = (record.asleep ?? null) !== null
  const services = Object.values(record.services).map((service) => {
    const shown = toService(service, urlOf)
    return isAsleep ? { ...shown, status: 'pending' as const } : shown
  })
  const expiresAt = expiryOf(record, ttlMs)
  const sleepsAt = fallsAsleepAt(record, around)
  return {
    name: record.name,
    branch: record.branch,
    stage: record.stage,
    base: record.base,
    generation: record.generation,
    phase: phaseOf(record),
    pinned: record.pinned,
    createdAt: instant(record.createdAt),
    lastPushAt: instant(record.lastPushAt),
    owner: ownerOfRecord(record),
    expiresAt: instantOrNull(expiresAt),
    asleep: record.asleep ? { since: instant(record.asleep.since), reason: record.asleep.reason } : null,
    lastRequestAt: instantOrNull(lastRequestAt),
    sleepsAt: instantOrNull(sleepsAt),
    repositories: Object.entries(record.heads).map(([repository, commitSha]) => ({ repository, commitSha })),
    services,
    masked: [...record.masked],
    conditions: [...record.conditions],
    url: record.url,
    currentRunId: record.currentRunId,
    lastRunId: record.lastRunId,
  }
}

/** Whose environment it is: whom a person named, else the author of its newest head commit; null: nobody is known. */
export function ownerOfRecord({ namedOwner, author }: EnvironmentRecord): Owner | null {
  return namedOwner ?? author ?? null
}

/** The phase that follows from a record. */
export function phaseOf(record: EnvironmentRecord): Environment['phase'] {
  return derivePhase({
    terminating: record.tombstone !== null,
    asleep: (record.asleep ?? null) !== null,
    deploying: record.currentRunId !== null,
    established: record.established && !isWaking(record),
    unreadable: record.conditions.some(isUnreadable),
    services: Object.values(record.services).map((service) => toService(service, () => '')),
  })
}

/** It was found asleep, is to be awake, and has not been looked at since: what its services are known to do may be of before. */
function isWaking({ asleep, conditions }: EnvironmentRecord): boolean {
  const foundAsleep = conditions.some(({ type, reason }) => type === 'Ready' && reason === ASLEEP_REASON)
  return (asleep ?? null) === null && foundAsleep
}

/** A file of the branch is ignored as a whole: what it asks for, a mask for instance, is not there. */
function isUnreadable({ type, status, reason, service }: Condition): boolean {
  if (status !== 'False' || service !== undefined) return false
  return (
    type === 'DefinitionValid' || (type === 'EnvironmentDefinitionValid' && reason === 'EnvironmentDefinitionInvalid')
  )
}

/** What served before a copy that is published now: that of before the run which could not finish, where there was one. */
export function servedBefore(record: EnvironmentRecord, service: string): DeployedCopy | null {
  const unfinished = record.unfinished?.find((copy) => copy.service === service)
  return unfinished === undefined ? (record.services[service]?.deployed ?? null) : unfinished.before
}

function toService(service: ServiceRecord, urlOf: (service: string) => string): EnvironmentService {
  return {
    name: service.name,
    repository: service.repository,
    wantedCommit: service.wantedCommit,
    deployedCommit: service.deployed?.commitSha ?? null,
    version: service.deployed?.version ?? null,
    status: statusOf(service),
    url: service.deployed === null ? null : urlOf(service.name),
  }
}

function statusOf(service: ServiceRecord): EnvironmentService['status'] {
  if (service.deploying) return 'deploying'
  if (service.invalid !== null) return 'invalid'
  if (service.failure !== null) return 'failed'
  if (service.deployed === null) return 'pending'
  if (service.health === 'unhealthy') return 'unhealthy'
  return isWanted(service, service.deployed) ? 'healthy' : 'pending'
}

function isWanted({ wantedCommit, wantedImage = null }: ServiceRecord, { commitSha, image }: DeployedCopy): boolean {
  return commitSha === wantedCommit && (wantedImage === null || image === undefined || image === wantedImage)
}

function instantOrNull(at: number | null): string | null {
  return at === null ? null : instant(at)
}

function instant(at: number): string {
  return new Date(at).toISOString()
}
