import { INTEGRATION_TENANT } from '@tributary/contract'
import { branchMatches, type BranchFilter } from './branch-filter.js'
import type { RepositoryListing } from './repository-listing.js'

/** Commits by repository name. */
export type Heads = Readonly<Record<string, string>>

/** What the manager's own records say of an environment. */
export interface KnownEnvironment {
  readonly name: string
  readonly branch: string
  readonly generation: number
  readonly heads: Heads
  readonly terminating: boolean
  readonly pinned: boolean
  /** Epoch milliseconds. */
  readonly lastPushAt: number
  /** Its time to live does not end before; null: no person has asked for that. Epoch milliseconds. */
  readonly keepUntil?: number | null
}

/** An environment that should be there, at these commits. */
export interface WantedEnvironment {
  readonly kind: 'integration' | 'feature'
  readonly branch: string
  readonly heads: Heads
}

/** An environment that should no longer be there, and why. */
export interface GoneEnvironment {
  readonly name: string
  readonly generation: number
  readonly reason: 'branch_deleted' | 'branch_excluded' | 'expired'
}

/** A pass's result. An environment in neither list is left exactly as it is. */
export interface DesiredState {
  readonly wanted: readonly WantedEnvironment[]
  readonly gone: readonly GoneEnvironment[]
}

/** What a pass looks at. */
export interface DesiredStateInput {
  /** Every configured repository, in configured order. */
  readonly repositories: readonly {
    readonly name: string
    readonly integrationBranch: string
    readonly listing: RepositoryListing
  }[]
  readonly filter: BranchFilter
  readonly known: readonly KnownEnvironment[]
  /** Branches that rest until their next push, with the heads that they had then. */
  readonly suspended: ReadonlyMap<string, Heads>
  /** Time to live since the last push; null: none. */
  readonly ttlMs: number | null
  /** Epoch milliseconds. */
  readonly now: number
}

/** Computes which environments should exist from what git says and what is recorded (SPEC 5.1). Pure. */
export function desiredState(input: DesiredStateInput): DesiredState {
  const known = new Map(input.known.map((environment) => [environment.branch, environment]))
  const features = [...featureBranches(input, known)]
    .map((branch) => ({ branch, heads: headsOf(branch, input, known.get(branch)) }))
    .filter(({ branch, heads }) => !isResting(branch, heads, input) && !isExpired(known.get(branch), heads, input))
    .map(({ branch, heads }): WantedEnvironment => ({ kind: 'feature', branch, heads }))
  const gone = input.known
    .filter((environment) => environment.name !== INTEGRATION_TENANT && !environment.terminating)
    .flatMap((environment) => goneOf(environment, input))
  return { wanted: [...integrationOf(input), ...features], gone }
}

/** When the environment's time to live ends, in epoch milliseconds; null when it never does. */
export function expiryOf(
  environment: Pick<KnownEnvironment, 'name' | 'pinned' | 'lastPushAt' | 'keepUntil'>,
  ttlMs: number | null,
): number | null {
  const endless = ttlMs === null || environment.pinned || environment.name === INTEGRATION_TENANT
  return endless ? null : Math.max(environment.lastPushAt + ttlMs, environment.keepUntil ?? 0)
}

/** True when `next` has a commit that `previous` has not: somebody pushed. A repository that merely went is no push. */
export function isPush(previous: Heads, next: Heads): boolean {
  return Object.entries(next).some(([repository, commitSha]) => previous[repository] !== commitSha)
}

function integrationOf({ repositories, known }: DesiredStateInput): readonly WantedEnvironment[] {
  const recorded = known.find((environment) => environment.name === INTEGRATION_TENANT)
  const heads: Record<string, string> = {}
  for (const { name, integrationBranch, listing } of repositories) {
    const head = listing.state === 'listed' ? listing.branches.get(integrationBranch) : recorded?.heads[name]
    if (head !== undefined) heads[name] = head
  }
  const branch = [...new Set(repositories.map((repository) => repository.integrationBranch))].join(', ')
  return Object.keys(heads).length === 0 ? [] : [{ kind: 'integration', branch, heads }]
}

function featureBranches(
  { repositories, filter, known: recorded }: DesiredStateInput,
  known: ReadonlyMap<string, KnownEnvironment>,
): ReadonlySet<string> {
  const branches = new Set<string>()
  for (const { listing, integrationBranch } of repositories) {
    if (listing.state === 'unknown') continue
    for (const branch of listing.branches.keys()) {
      if (branch !== integrationBranch && branchMatches(filter, branch)) branches.add(branch)
    }
  }
  const unknown = repositories.filter((repository) => repository.listing.state === 'unknown')
  for (const { name, branch, heads } of recorded) {
    const uncertain = name !== INTEGRATION_TENANT && unknown.some((repository) => repository.name in heads)
    if (uncertain && branchMatches(filter, branch) && known.has(branch)) branches.add(branch)
  }
  return branches
}

/** Listed heads, and the last known ones of repositories whose listing is unknown. */
function headsOf(branch: string, { repositories }: DesiredStateInput, known: KnownEnvironment | undefined): Heads {
  const heads: Record<string, string> = {}
  for (const { name, integrationBranch, listing } of repositories) {
    const listed = listing.state === 'listed' && branch !== integrationBranch ? listing.branches.get(branch) : undefined
    const head = listing.state === 'unknown' ? known?.heads[name] : listed
    if (head !== undefined) heads[name] = head
  }
  return heads
}

function isResting(branch: string, heads: Heads, { suspended }: DesiredStateInput): boolean {
  const before = suspended.get(branch)
  return before !== undefined && !isPush(before, heads)
}

function isExpired(known: KnownEnvironment | undefined, heads: Heads, input: DesiredStateInput): boolean {
  if (known === undefined || known.terminating || isPush(known.heads, heads)) return false
  const expiresAt = expiryOf(known, input.ttlMs)
  return expiresAt !== null && expiresAt <= input.now
}

function goneOf(environment: KnownEnvironment, input: DesiredStateInput): readonly GoneEnvironment[] {
  const { name, generation, branch } = environment
  const heads = headsOf(branch, input, environment)
  if (!branchMatches(input.filter, branch)) return [{ name, generation, reason: 'branch_excluded' }]
  if (Object.keys(heads).length === 0) return [{ name, generation, reason: 'branch_deleted' }]
  return isExpired(environment, heads, input) ? [{ name, generation, reason: 'expired' }] : []
}
