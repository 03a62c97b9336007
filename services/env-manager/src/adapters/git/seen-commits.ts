/** Of each repository: enough for those that are looked at again and again. */
const MAX_COMMITS = 1000

/**
 * Which commits the mirrors were seen to hold, and how often something was fetched into them: so that git is not asked the same thing twice. A commit that git has thrown away since is found out
 * when it is read; {@link forget} then clears what was seen.
 */
export class SeenCommits {
  readonly #commits = new Map<string, Set<string>>()
  readonly #fetches = new Map<string, number>()

  has(repository: string, commitSha: string): boolean {
    return this.#commits.get(repository)?.has(commitSha) === true
  }

  /** Beyond {@link MAX_COMMITS} the oldest is forgotten. */
  add(repository: string, commitSha: string): void {
    const commits = this.#commits.get(repository) ?? new Set()
    commits.add(commitSha)
    const [oldest] = commits
    if (commits.size > MAX_COMMITS && oldest !== undefined) commits.delete(oldest)
    this.#commits.set(repository, commits)
  }

  forget(repository: string): void {
    this.#commits.delete(repository)
  }

  /** Counts a fetch that begins. */
  noteFetch(repository: string): void {
    this.#fetches.set(repository, this.fetchesOf(repository) + 1)
  }

  fetchesOf(repository: string): number {
    return this.#fetches.get(repository) ?? 0
  }
}
