import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { AppError } from '@tributary/kit'
import type { CommitAuthor } from '../../domain/owner.js'
import { failure } from '../../errors.js'
import type { RepositoryRef, SourceControl } from '../../ports/source-control.js'
import { GitMirrors } from './git-mirrors.js'
import {
  assertCommitSha,
  assertRepositoryPath,
  parseAuthor,
  parseBlobs,
  parseHeads,
  parseNulList,
  type ListedBlob,
} from './git-parsers.js'
import { createGitRunner, type GitRunner } from './git-runner.js'
import { parseGitUrl } from './git-url.js'
import { describeVersion } from './git-version.js'
import { GitWorktrees } from './git-worktrees.js'

const LIST_TIMEOUT_MS = 45_000
/** Their names are words of a command, and their contents are held in memory. */
const FILES_AT_ONCE = 100

/** What {@link createGitSourceControl} takes. */
export interface GitSourceControlOptions {
  /** Mirrors are kept in `<dataDirectory>/mirrors`. One process owns it. */
  readonly dataDirectory: string
  /** The manager's own environment (`process.env`): PATH, HOME, proxies and the ssh agent are passed on. */
  readonly host: Readonly<Record<string, string | undefined>>
  /** Told of branches that are left out because their name is not UTF-8. Default: nobody. */
  readonly onWarning?: (message: string) => void
}

/** {@link SourceControl} on the git command line, which must be on PATH (2.36 or newer). */
export function createGitSourceControl(options: GitSourceControlOptions): SourceControl {
  return new GitSourceControl(options)
}

class GitSourceControl implements SourceControl {
  private readonly runner: GitRunner
  private readonly mirrors: GitMirrors
  private readonly worktrees: GitWorktrees
  private readonly onWarning: (message: string) => void

  constructor(options: GitSourceControlOptions) {
    this.runner = createGitRunner(mirrorsFolder(options.dataDirectory), options.host)
    this.mirrors = new GitMirrors(this.runner)
    this.worktrees = new GitWorktrees(this.runner, this.mirrors)
    this.onWarning = options.onWarning ?? (() => undefined)
  }

  async listBranches(
    repository: RepositoryRef,
    options: { readonly signal: AbortSignal },
  ): Promise<ReadonlyMap<string, string>> {
    const remote = parseGitUrl(repository.url)
    const answer = await this.runner.run({
      action: `list the branches of ${repository.name} at ${remote.url}`,
      args: ['ls-remote', '--heads', '--quiet', '--', remote.url],
      remote,
      signal: options.signal,
      timeoutMs: LIST_TIMEOUT_MS,
    })
    const { branches, unreadable } = parseHeads(answer.stdout, repository.name)
    for (const name of unreadable)
      this.onWarning(`a branch of ${repository.name} is left out: its name is not UTF-8 (${JSON.stringify(name)})`)
    return branches
  }

  async ensureCommit(
    repository: RepositoryRef,
    commitSha: string,
    options: { readonly signal: AbortSignal },
  ): Promise<void> {
    await this.mirrors.ensureCommit(repository, commitSha, options.signal)
  }

  async changedPaths(
    repository: RepositoryRef,
    range: { readonly base: string; readonly head: string },
  ): Promise<readonly string[]> {
    assertCommitSha(range.base)
    assertCommitSha(range.head)
    const mergeBase = await this.mergeBase(repository, range)
    if (mergeBase === undefined) return this.listFiles(repository, range.head)
    const action = `compare ${range.head} of ${repository.name} with ${mergeBase}`
    return parseNulList(
      await this.inMirror(repository, action, [
        'diff-tree',
        '-r',
        '-z',
        '--name-only',
        '--no-renames',
        mergeBase,
        range.head,
        '--',
      ]),
    )
  }

  async listFiles(repository: RepositoryRef, commitSha: string): Promise<readonly string[]> {
    assertCommitSha(commitSha)
    const action = `list the files of ${commitSha} of ${repository.name}`
    return parseNulList(
      await this.inMirror(repository, action, ['ls-tree', '-r', '-z', '--name-only', '--full-tree', commitSha]),
    )
  }

  async readFiles(
    repository: RepositoryRef,
    commitSha: string,
    { paths, maxBytes }: { readonly paths: readonly string[]; readonly maxBytes: number },
  ): Promise<ReadonlyMap<string, string | AppError>> {
    assertCommitSha(commitSha)
    for (const path of paths) assertRepositoryPath(path)
    const texts = new Map<string, string | AppError>()
    for (let start = 0; start < paths.length; start += FILES_AT_ONCE) {
      const part = { paths: paths.slice(start, start + FILES_AT_ONCE), maxBytes }
      for (const [path, text] of await this.readPart(repository, commitSha, part)) texts.set(path, text)
    }
    return texts
  }

  async readAuthor(repository: RepositoryRef, commitSha: string): Promise<CommitAuthor> {
    assertCommitSha(commitSha)
    const action = `read the author of ${commitSha} of ${repository.name}`
    // Plumbing: `log` and `show` would run what the configuration of git names to check signatures.
    const answer = await this.inMirror(repository, action, [
      'rev-list',
      '--max-count=1',
      '--no-commit-header',
      '--encoding=UTF-8',
      '--format=%an%x00%ae%x00%ct',
      commitSha,
      '--',
    ])
    return parseAuthor(answer, repository.name)
  }

  async describeVersion(repository: RepositoryRef, commitSha: string): Promise<string> {
    assertCommitSha(commitSha)
    const action = `describe the version of ${commitSha} of ${repository.name}`
    return describeVersion(this.runner, {
      repositoryArgs: [`--git-dir=${this.mirrors.pathOf(repository.name)}`],
      commitSha,
      action,
    })
  }

  async ensureCheckout(repository: Pick<RepositoryRef, 'name'>, commitSha: string, directory: string): Promise<void> {
    await this.worktrees.ensure(repository.name, commitSha, directory)
  }

  async removeCheckout(repository: Pick<RepositoryRef, 'name'>, directory: string): Promise<void> {
    await this.worktrees.remove(repository.name, directory)
  }

  async listCheckouts(): Promise<readonly { readonly repository: string; readonly directory: string }[]> {
    const repositories = await this.mirrors.list()
    const lists = await Promise.all(
      repositories.map(async (repository) => {
        const worktrees = await this.worktrees.list(repository)
        return worktrees.map(({ directory }) => ({ repository, directory }))
      }),
    )
    return lists.flat()
  }

  private async mergeBase(
    repository: RepositoryRef,
    range: { readonly base: string; readonly head: string },
  ): Promise<string | undefined> {
    const answer = await this.mirrors.read(repository.name, {
      action: `find the merge base of ${range.base} and ${range.head} of ${repository.name}`,
      args: ['merge-base', range.base, range.head],
      answers: [0, 1],
    })
    const sha = answer.stdout.toString().trim()
    return sha === '' ? undefined : sha
  }

  /** Two processes, however many files. */
  private async readPart(
    repository: RepositoryRef,
    commitSha: string,
    { paths, maxBytes }: { readonly paths: readonly string[]; readonly maxBytes: number },
  ): Promise<readonly (readonly [path: string, text: string | AppError])[]> {
    const action = `read ${described(paths)} of ${commitSha} of ${repository.name}`
    const args = ['ls-tree', '-l', '-z', '--full-tree', commitSha, '--', ...paths]
    const listed = parseBlobs(await this.inMirror(repository, action, args))
    const wanted = new Set(paths)
    const blobs = listed.filter(({ path }) => wanted.has(path))
    const tooBig = ({ sizeBytes }: ListedBlob): boolean => sizeBytes > maxBytes
    const shas = new Set(blobs.filter((blob) => !tooBig(blob)).map(({ sha }) => sha))
    const contents = await this.mirrors.readBlobs(repository.name, action, [...shas])
    return blobs.map((blob) => {
      const content = contents.get(blob.sha)
      return [blob.path, content === undefined ? tooLarge(action, blob, maxBytes) : new TextDecoder().decode(content)]
    })
  }

  private async inMirror(repository: RepositoryRef, action: string, args: readonly string[]): Promise<Buffer> {
    const answer = await this.mirrors.read(repository.name, { action, args })
    return answer.stdout
  }
}

function described(paths: readonly string[]): string {
  const [first = ''] = paths
  return paths.length === 1 ? first : `${first} and ${paths.length - 1} more files`
}

function tooLarge(action: string, { path, sizeBytes }: ListedBlob, maxBytes: number): AppError {
  return failure(
    'GIT_FILE_TOO_LARGE',
    `could not ${action}: ${path} has ${sizeBytes} bytes, more than the bound of ${maxBytes}`,
  )
}

/** Made at once, and with symlinks resolved: git writes worktrees' paths that way. */
function mirrorsFolder(dataDirectory: string): string {
  const path = join(dataDirectory, 'mirrors')
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    return realpathSync(path)
  } catch (cause) {
    throw failure(
      'PLATFORM_DATA_UNWRITABLE',
      `the data folder ${dataDirectory} cannot be written; check its owner and permissions`,
      { cause },
    )
  }
}
