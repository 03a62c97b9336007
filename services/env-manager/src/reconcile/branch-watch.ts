import { isAppError } from '@tributary/kit'
import { judgeListing, type RepositoryListing } from '../domain/repository-listing.js'
import { messageOf, type EnvironmentDependencies } from '../operations/dependencies.js'
import type { RepositoryRef } from '../ports/source-control.js'

/** What the status shows of a repository. */
export interface RepositoryStatus {
  readonly name: string
  readonly url: string
  /** Epoch milliseconds of the last answer that was believed; null before the first. */
  readonly lastListedAt: number | null
  readonly branches: number
  readonly error: string | null
}

interface KnownRepository {
  listing: RepositoryListing
  branches: ReadonlyMap<string, string>
  lastListedAt: number | null
  listedMonotonicMs: number
}

type WatchDependencies = Pick<EnvironmentDependencies, 'sourceControl' | 'config' | 'clock' | 'log'>

/** A git server that answers neither yes nor no must not hold up the others. */
const LIST_TIMEOUT_MS = 30_000

/** Asks the git servers which branches there are, and remembers the answers that can be believed. */
export class BranchWatch {
  readonly #known = new Map<string, KnownRepository>()

  constructor(private readonly deps: WatchDependencies) {}

  /**
   * Lists repositories (all by default) side by side. `hadBranches` says whether a repository is known to have had branches,
   * from the environments' records: it survives a restart.
   */
  async list(
    options: { readonly signal: AbortSignal; readonly hadBranches: (repository: string) => boolean },
    names?: ReadonlySet<string>,
  ): Promise<void> {
    const chosen = this.deps.config.repositories.filter(({ name }) => names === undefined || names.has(name))
    await Promise.all(chosen.map((repository) => this.#listOne(repository, options)))
  }

  /** What is believed of a repository now; unknown before the first answer. */
  listingOf(repository: string): RepositoryListing {
    return this.#known.get(repository)?.listing ?? { state: 'unknown', reason: 'it was not asked yet' }
  }

  /** Milliseconds since the repository was asked last; infinite before. */
  ageMs(repository: string): number {
    const known = this.#known.get(repository)
    return known === undefined ? Number.POSITIVE_INFINITY : this.deps.clock.monotonicMs() - known.listedMonotonicMs
  }

  /** Every repository as it stands. */
  status(): readonly RepositoryStatus[] {
    return this.deps.config.repositories.map(({ name, url }) => {
      const known = this.#known.get(name)
      const listing = this.listingOf(name)
      return {
        name,
        url: withoutCredentials(url),
        lastListedAt: known?.lastListedAt ?? null,
        branches: known?.branches.size ?? 0,
        error: listing.state === 'unknown' ? listing.reason : null,
      }
    })
  }

  async #listOne(
    repository: RepositoryRef,
    options: { readonly signal: AbortSignal; readonly hadBranches: (repository: string) => boolean },
  ): Promise<void> {
    const before = this.#known.get(repository.name)
    const hadBranches = (before?.branches.size ?? 0) > 0 || options.hadBranches(repository.name)
    const listing = await this.#ask(repository, { signal: options.signal, hadBranches })
    if (options.signal.aborted) return
    const believed = listing.state === 'listed'
    if (!believed && before?.listing.state !== 'unknown') {
      this.deps.log.warn(
        { repository: repository.name, reason: listing.reason },
        'the branches of a repository are not known',
      )
    }
    this.#known.set(repository.name, {
      listing,
      branches: believed ? listing.branches : (before?.branches ?? new Map()),
      lastListedAt: believed ? this.deps.clock.now() : (before?.lastListedAt ?? null),
      listedMonotonicMs: this.deps.clock.monotonicMs(),
    })
  }

  async #ask(
    repository: RepositoryRef,
    { signal, hadBranches }: { readonly signal: AbortSignal; readonly hadBranches: boolean },
  ): Promise<RepositoryListing> {
    try {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(LIST_TIMEOUT_MS)])
      const branches = await this.deps.sourceControl.listBranches(repository, { signal: limited })
      const { name, integrationBranch } = repository
      return judgeListing(branches, { repository: name, integrationBranch, hadBranches })
    } catch (error) {
      const reason = isAppError(error) ? error.message : `listing its branches failed: ${messageOf(error)}`
      return { state: 'unknown', reason }
    }
  }
}

/** User and password of a URL never leave the manager. */
export function withoutCredentials(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1')
}
