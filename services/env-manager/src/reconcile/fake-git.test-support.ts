import { createHash } from 'node:crypto'
import type { CommitAuthor } from '../domain/owner.js'
import { failure } from '../errors.js'
import type { RepositoryRef, SourceControl } from '../ports/source-control.js'

interface Commit {
  readonly author: CommitAuthor
  readonly files: ReadonlyMap<string, string>
  readonly parent: string | undefined
}

/** A git server in memory: linear histories, real merge bases, answers that can be made wrong. */
export class FakeGit {
  readonly branches = new Map<string, Map<string, string>>()
  readonly #commits = new Map<string, Commit>()
  /** Replaces the answer of `listBranches`, or throws. */
  answer: (repository: string, branches: ReadonlyMap<string, string>) => ReadonlyMap<string, string> = (_, branches) =>
    branches
  listings = 0
  /** Called before a comparison of commits is answered. */
  onCompare: () => Promise<void> = async () => undefined
  /** Who writes the commits from now on. */
  author = { name: 'Ann Lee', email: 'ann@example.org' }

  /** Commits files (null removes one) onto a branch; a new branch starts at `from`. Resolves to the commit. */
  // oxlint-disable-next-line max-params -- a fixture that tests call on every second line
  commit(repository: string, branch: string, files: Readonly<Record<string, string | null>>, from?: string): string {
    const heads = this.branches.get(repository) ?? new Map<string, string>()
    this.branches.set(repository, heads)
    const parent = heads.get(branch) ?? (from === undefined ? undefined : heads.get(from))
    const tree = new Map(parent === undefined ? [] : this.#commit(parent).files)
    for (const [path, text] of Object.entries(files)) {
      if (text === null) tree.delete(path)
      else tree.set(path, text)
    }
    const sha = createHash('sha1')
      .update(JSON.stringify([repository, parent ?? null, [...tree], this.#commits.size]))
      .digest('hex')
    this.#commits.set(sha, { files: tree, parent, author: { ...this.author, committedAt: this.#commits.size } })
    heads.set(branch, sha)
    return sha
  }

  delete(repository: string, branch: string): void {
    this.branches.get(repository)?.delete(branch)
  }

  headOf(repository: string, branch: string): string {
    const head = this.branches.get(repository)?.get(branch)
    if (head === undefined) throw new Error(`${repository} has no ${branch}`)
    return head
  }

  asSourceControl(): SourceControl {
    return {
      listBranches: async ({ name }, { signal }) => {
        signal.throwIfAborted()
        this.listings += 1
        return new Map(this.answer(name, this.branches.get(name) ?? new Map()))
      },
      ensureCommit: async (_: RepositoryRef, commitSha) => void this.#commit(commitSha),
      changedPaths: async (_, { base, head }) => {
        await this.onCompare()
        return this.#changed(base, head)
      },
      listFiles: async (_, commitSha) => [...this.#commit(commitSha).files.keys()],
      readFiles: async (_, commitSha, { paths }) => {
        const { files } = this.#commit(commitSha)
        return new Map([...files].filter(([path]) => paths.includes(path)))
      },
      readAuthor: async (_, commitSha) => this.#commit(commitSha).author,
      describeVersion: async (_, commitSha) => `v0.0-${this.#ancestors(commitSha).length}-${commitSha.slice(0, 7)}`,
      ensureCheckout: async () => undefined,
      removeCheckout: async () => undefined,
      listCheckouts: async () => [],
    }
  }

  #commit(sha: string): Commit {
    const commit = this.#commits.get(sha)
    if (commit === undefined) throw failure('GIT_COMMIT_NOT_FOUND', `no commit ${sha}`)
    return commit
  }

  #ancestors(sha: string): readonly string[] {
    const { parent } = this.#commit(sha)
    return [sha, ...(parent === undefined ? [] : this.#ancestors(parent))]
  }

  #changed(base: string, head: string): readonly string[] {
    const below = new Set(this.#ancestors(base))
    const mergeBase = this.#ancestors(head).find((sha) => below.has(sha))
    const before = mergeBase === undefined ? new Map<string, string>() : this.#commit(mergeBase).files
    const after = this.#commit(head).files
    return [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path))
  }
}
