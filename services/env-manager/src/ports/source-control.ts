import type { AppError } from '@tributary/kit'
import type { CommitAuthor } from '../domain/owner.js'

/** A configured repository. `url` is anything that git takes; it may hold no credentials. */
export interface RepositoryRef {
  readonly name: string
  readonly url: string
  /** Branch that the integration environment is built from. */
  readonly integrationBranch: string
}

/** Git, as the env-manager needs it: a bare mirror for each repository, and checkouts of single commits. Rejects with `AppError` `GIT_*`. */
export interface SourceControl {
  /** `git ls-remote`: every branch with its commit. An error or an answer that makes no sense rejects; it never reads as "no branches". */
  listBranches(
    repository: RepositoryRef,
    options: { readonly signal: AbortSignal },
  ): Promise<ReadonlyMap<string, string>>
  /** Brings the mirror up to date so that `commitSha` is there. `GIT_COMMIT_NOT_FOUND` when the server no longer has it. */
  ensureCommit(repository: RepositoryRef, commitSha: string, options: { readonly signal: AbortSignal }): Promise<void>
  /** Paths that differ between the merge base of the two commits and `head`. Without a merge base: all paths of `head`. */
  changedPaths(
    repository: RepositoryRef,
    range: { readonly base: string; readonly head: string },
  ): Promise<readonly string[]>
  /** All file paths of a commit. */
  listFiles(repository: RepositoryRef, commitSha: string): Promise<readonly string[]>
  /**
   * Texts of files at a commit by path, all in one go: what is not there, or is no regular file (symlinks are not followed), is left out. In the place of a file over
   * `maxBytes` stands a `GIT_FILE_TOO_LARGE` for its reader to throw or to tell.
   */
  readFiles(
    repository: RepositoryRef,
    commitSha: string,
    files: { readonly paths: readonly string[]; readonly maxBytes: number },
  ): Promise<ReadonlyMap<string, string | AppError>>
  /** Who wrote a commit that is in the mirror. */
  readAuthor(repository: RepositoryRef, commitSha: string): Promise<CommitAuthor>
  /** `v<major>.<minor>-<commits since tag>-<short sha>`; without a tag `v0.0-<commits>-<short sha>`. */
  describeVersion(repository: RepositoryRef, commitSha: string): Promise<string>
  /** A detached worktree of the commit, which must be in the mirror, at `directory`. Idempotent; a half-made one is made anew. */
  ensureCheckout(repository: Pick<RepositoryRef, 'name'>, commitSha: string, directory: string): Promise<void>
  /** Removes the worktree and git's record of it. Idempotent. */
  removeCheckout(repository: Pick<RepositoryRef, 'name'>, directory: string): Promise<void>
  /** Directories of all worktrees that the mirrors know. */
  listCheckouts(): Promise<readonly { readonly repository: string; readonly directory: string }[]>
}
