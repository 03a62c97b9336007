import { createHash } from 'node:crypto'
import { canonicalJson, INTEGRATION_TENANT } from '@tributary/contract'
import { isAppError } from '@tributary/kit'
import { resolveBase, type ResolvedBase } from '../domain/base-environment.js'
import { changedServices, type ChangedServices } from '../domain/changed-services.js'
import { desiredServices, type DesiredService, type DesiredServices } from '../domain/desired-services.js'
import type { Heads } from '../domain/desired-state.js'
import type { EnvironmentRecord } from '../domain/environment-record.js'
import { ownerOfCommits, type Owner } from '../domain/owner.js'
import type { RepositoryRef } from '../ports/source-control.js'
import { seekImages } from './built-images.js'
import type { EnvironmentDependencies } from './dependencies.js'
import type { CommitContent } from './load-content.js'
import { findEnvironment, listEnvironments } from './state/environments.js'

type ResolveDependencies = Pick<EnvironmentDependencies, 'store' | 'sourceControl' | 'content' | 'config'>

/** Where an environment stands in the tree, from records alone. */
export interface Placement {
  /** Null for integration, which is a root. */
  readonly base: string | null
  readonly problem: ResolvedBase['problem']
  /** Commits that the branch is compared with; undefined when the base is not known yet. */
  readonly baseHeads: Heads | undefined
}

/** What an environment should run, and over what. */
export interface ResolvedEnvironment extends Placement {
  readonly desired: DesiredServices
  readonly declaredBase: string | null
  /** Who wrote the newest head commit; null for integration, which is everybody's, and when no commit tells. */
  readonly owner: Owner | null
}

interface Loaded {
  readonly repository: RepositoryRef
  readonly commitSha: string
  readonly content: CommitContent
}

/** Finds an environment's base from the recorded declarations. `declaredBase` is what this branch names. */
export async function placeEnvironment(
  deps: Pick<EnvironmentDependencies, 'store' | 'config'>,
  record: EnvironmentRecord,
  declaredBase: string | null,
): Promise<Placement> {
  if (record.name === INTEGRATION_TENANT) return { base: null, problem: null, baseHeads: {} }
  const { base, problem } =
    declaredBase === null
      ? { base: INTEGRATION_TENANT, problem: null }
      : await resolveDeclared(deps, record.branch, declaredBase)
  const integration = await findEnvironment(deps.store, INTEGRATION_TENANT)
  const baseRecord = base === INTEGRATION_TENANT ? integration : await findEnvironment(deps.store, base)
  const known = integration !== undefined && baseRecord !== undefined
  return { base, problem, baseHeads: known ? { ...integration.heads, ...baseRecord.heads } : undefined }
}

/** Reads the definitions at the branch's commits and works out what the environment should run. */
export async function resolveEnvironment(
  deps: ResolveDependencies,
  record: EnvironmentRecord,
  signal: AbortSignal,
): Promise<ResolvedEnvironment> {
  const loaded: Loaded[] = []
  for (const repository of deps.config.repositories) {
    const commitSha = record.heads[repository.name]
    if (commitSha === undefined) continue
    loaded.push({ repository, commitSha, content: await deps.content.load(repository, commitSha, signal) })
  }
  const declaredBase = declaredBaseOf(loaded, record)
  const placement = await placeEnvironment(deps, record, declaredBase)
  const contents = await Promise.all(
    loaded.map(async (one) => ({
      repository: one.repository.name,
      commitSha: one.commitSha,
      ...one.content,
      changed: await changedIn(deps, one, { record, placement, signal }),
    })),
  )
  const recorded = Object.values(record.services).map(({ name, ...rest }) => ({ service: name, ...rest }))
  const desired = desiredServices(contents, recorded)
  const atCommits = await Promise.all(
    desired.services.map((service) => atRolledBackCommit(deps, { service, record, signal })),
  )
  const sought = await seekImages(deps.store, record.name, atCommits)
  const kept = [...desired.kept, ...sought.awaiting.map(({ service }) => service)]
  return { ...placement, declaredBase, owner: ownerOf(loaded, record), desired: { ...desired, ...sought, kept } }
}

/** Identifies everything that {@link resolveEnvironment} depends on: while it stays, so does the answer. */
export function settlementOf(record: EnvironmentRecord, { base, baseHeads }: Placement): string {
  const rolledBack = Object.values(record.services).map((service) => [service.name, service.rolledBack])
  const inputs = [record.generation, record.heads, base, baseHeads ?? null, rolledBack, record.retryRequests]
  return createHash('sha256').update(canonicalJson(inputs)).digest('hex').slice(0, 32)
}

async function resolveDeclared(
  deps: Pick<EnvironmentDependencies, 'store' | 'config'>,
  branch: string,
  declaredBase: string,
): Promise<ResolvedBase> {
  const records = (await listEnvironments(deps.store)).filter(({ name }) => name !== INTEGRATION_TENANT)
  const declared = records.flatMap((one) =>
    one.declaredBase === null ? [] : [[one.branch, one.declaredBase] as const],
  )
  return resolveBase(branch, {
    declared: new Map([...declared, [branch, declaredBase]]),
    environments: new Map(records.filter((one) => one.tombstone === null).map((one) => [one.branch, one.name])),
    integrationBranches: new Set(deps.config.repositories.map((repository) => repository.integrationBranch)),
  })
}

function ownerOf(loaded: readonly Loaded[], record: EnvironmentRecord): Owner | null {
  if (record.name === INTEGRATION_TENANT) return null
  return ownerOfCommits(loaded.flatMap(({ content }) => content.author ?? [])) ?? null
}

/** While some tributary.yaml cannot be read, the base stays what it was. */
function declaredBaseOf(loaded: readonly Loaded[], record: EnvironmentRecord): string | null {
  if (record.name === INTEGRATION_TENANT) return null
  const files = loaded.map(({ content }) => content.environmentFile)
  if (files.some((file) => file.state === 'invalid')) return record.declaredBase
  return files.flatMap((file) => (file.state === 'valid' ? (file.definition.base ?? []) : []))[0] ?? null
}

async function changedIn(
  deps: ResolveDependencies,
  { repository, commitSha, content }: Loaded,
  given: { readonly record: EnvironmentRecord; readonly placement: Placement; readonly signal: AbortSignal },
): Promise<ChangedServices | 'all'> {
  if (given.record.name === INTEGRATION_TENANT) return 'all'
  const base = given.placement.baseHeads?.[repository.name]
  if (base === undefined) return changedServices(content.catalog, [])
  await deps.sourceControl.ensureCommit(repository, base, { signal: given.signal })
  const paths = await deps.sourceControl.changedPaths(repository, { base, head: commitSha })
  return changedServices(content.catalog, paths)
}

/** A rollback holds while the branch has not moved; a commit that git no longer has ends it. */
async function atRolledBackCommit(
  deps: ResolveDependencies,
  given: { readonly service: DesiredService; readonly record: EnvironmentRecord; readonly signal: AbortSignal },
): Promise<DesiredService> {
  const { service, record, signal } = given
  const rolledBack = record.services[service.service]?.rolledBack
  const repository = deps.config.repositories.find((one) => one.name === service.repository)
  if (!rolledBack || rolledBack.head !== service.commitSha || repository === undefined) return service
  try {
    const { catalog } = await deps.content.load(repository, rolledBack.commitSha, signal)
    const defined = catalog.services.find((one) => one.definition.name === service.service)
    return defined === undefined ? service : { ...service, commitSha: rolledBack.commitSha, defined }
  } catch (error) {
    if (isAppError(error, 'GIT_COMMIT_NOT_FOUND')) return service
    throw error
  }
}
