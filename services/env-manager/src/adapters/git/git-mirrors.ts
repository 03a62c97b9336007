import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isAppError, KeyedMutex } from '@tributary/kit'
import { failure } from '../../errors.js'
import type { RepositoryRef } from '../../ports/source-control.js'
import { isDamage } from './git-errors.js'
import { assertCommitSha, parseBatch } from './git-parsers.js'
import type { GitAnswer } from './git-command.js'
import type { GitCall, GitRunner } from './git-runner.js'
import { parseGitUrl, type GitUrl } from './git-url.js'
import { SeenCommits } from './seen-commits.js'

const FETCH_TIMEOUT_MS = 15 * 60_000
const REFSPECS = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*']
const FETCHES_PER_TIDYING = 20
const UNFINISHED = '.tmp-'
const SUFFIX = '.git'

/**
 * Bare mirrors of the configured repositories, one folder each. A mirror is made beside its place and renamed into it, so that it is
 * there whole or not at all; fetches of one repository never overlap. One process owns the folder.
 */
export class GitMirrors {
  private readonly lock = new KeyedMutex()
  private readonly usable = new Set<string>()
  private readonly suspects = new Set<string>()
  private readonly seen = new SeenCommits()
  private cleaned: Promise<void> | undefined

  constructor(private readonly runner: GitRunner) {}

  /** Folder of a repository's mirror, whether it is there or not. */
  pathOf(repository: string): string {
    return join(this.runner.directory, `${encodeURIComponent(repository).replace(/^\./, '%2E')}${SUFFIX}`)
  }

  /** Names of the repositories that have a mirror. */
  async list(): Promise<string[]> {
    await this.removeUnfinished()
    const names = await readdir(this.runner.directory)
    return names
      .filter((name) => name.endsWith(SUFFIX) && !name.startsWith(UNFINISHED))
      .map((name) => decodeURIComponent(name.slice(0, -SUFFIX.length)))
  }

  /** Fetches until the commit is there; at once when it is there already. `GIT_COMMIT_NOT_FOUND` when the server lacks it. */
  async ensureCommit(repository: RepositoryRef, commitSha: string, signal: AbortSignal): Promise<void> {
    assertCommitSha(commitSha)
    const remote = parseGitUrl(repository.url)
    const fetched = this.seen.fetchesOf(repository.name)
    const isSuspect = this.suspects.has(repository.name)
    if (!isSuspect && (await this.hasCommit(repository.name, commitSha))) return
    await this.lock.run(repository.name, async () => {
      await this.examine(repository.name)
      // Asked again only when somebody may have brought it in the meantime: each question is a process.
      const mayHave = isSuspect || this.seen.fetchesOf(repository.name) !== fetched
      if (mayHave && (await this.hasCommit(repository.name, commitSha))) return
      await this.update({ repository, remote, signal })
      if (await this.hasCommit(repository.name, commitSha)) return
      await this.fetchCommit({ repository, remote, signal }, commitSha)
    })
  }

  /** Whether the mirror holds the commit. False too when there is no mirror. */
  async hasCommit(repository: string, commitSha: string): Promise<boolean> {
    if (!(await this.isUsable(repository))) return false
    if (this.seen.has(repository, commitSha)) return true
    const answer = await this.runner.run({
      action: `look for commit ${commitSha} of ${repository}`,
      args: [`--git-dir=${this.pathOf(repository)}`, 'cat-file', '-e', `${commitSha}^{commit}`],
      answers: [0, 1, 128],
    })
    if (answer.exitCode === 0) this.seen.add(repository, commitSha)
    return answer.exitCode === 0
  }

  /** Runs a command that only reads a mirror. A mirror that turns out to be damaged is made anew by the next {@link ensureCommit}. */
  async read(repository: string, call: GitCall): Promise<GitAnswer> {
    try {
      return await this.runner.run({ ...call, args: [`--git-dir=${this.pathOf(repository)}`, ...call.args] })
    } catch (error) {
      if (isDamage(error)) this.suspect(repository)
      throw error
    }
  }

  /** Contents of blobs by their id, by one process. @throws AppError `GIT_FAILED` when the mirror lacks one; then it is made anew as by {@link read}. */
  async readBlobs(repository: string, action: string, shas: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
    if (shas.length === 0) return new Map()
    const input = shas.map((sha) => `${sha}\n`).join('')
    const contents = parseBatch((await this.read(repository, { action, args: ['cat-file', '--batch'], input })).stdout)
    if (contents !== undefined) return contents
    this.suspect(repository)
    throw failure('GIT_FAILED', `could not ${action}: the mirror of ${repository} is damaged; it is made anew`)
  }

  private suspect(repository: string): void {
    this.suspects.add(repository)
    this.seen.forget(repository)
  }

  /** Checks a mirror that a command complained about; a damaged one counts as not there. */
  private async examine(repository: string): Promise<void> {
    if (!this.suspects.has(repository)) return
    const answer = await this.runner.run({
      action: `check the mirror of ${repository}`,
      args: [`--git-dir=${this.pathOf(repository)}`, 'fsck', '--connectivity-only', '--no-dangling', '--no-progress'],
      answers: [0, 1, 2, 3, 4, 5, 6, 7, 128],
      timeoutMs: FETCH_TIMEOUT_MS,
    })
    if (answer.exitCode !== 0) await rm(this.pathOf(repository), { recursive: true, force: true })
    this.usable.delete(repository)
    this.suspects.delete(repository)
  }

  private async update(target: FetchTarget): Promise<void> {
    try {
      if (await this.isUsable(target.repository.name))
        await this.fetch(target, this.pathOf(target.repository.name), REFSPECS)
      else await this.create(target)
    } catch (error) {
      if (!isDamage(error)) throw error
      await this.create(target)
    }
  }

  private async create(target: FetchTarget): Promise<void> {
    const path = this.pathOf(target.repository.name)
    this.seen.forget(target.repository.name)
    const unfinished = join(this.runner.directory, `${UNFINISHED}${randomBytes(6).toString('hex')}${SUFFIX}`)
    this.usable.delete(target.repository.name)
    try {
      await this.runner.run({
        action: `make a mirror of ${target.repository.name}`,
        args: ['init', '--bare', '--quiet', '--template=', '--', unfinished],
      })
      await this.fetch(target, unfinished, REFSPECS)
      await rm(path, { recursive: true, force: true })
      await rename(unfinished, path)
    } finally {
      await rm(unfinished, { recursive: true, force: true })
    }
  }

  private async fetch(target: FetchTarget, gitDirectory: string, refspecs: readonly string[]): Promise<void> {
    // Whether there is something to tidy up costs a push two processes to find out: now and then is enough.
    const isItsTurn = this.seen.fetchesOf(target.repository.name) % FETCHES_PER_TIDYING === 0
    this.seen.noteFetch(target.repository.name)
    await this.runner.run({
      action: `fetch ${target.repository.name} from ${target.remote.url}`,
      args: [
        `--git-dir=${gitDirectory}`,
        'fetch',
        '--quiet',
        '--prune',
        '--force',
        '--no-tags',
        '--no-write-fetch-head',
        '--no-recurse-submodules',
        ...(isItsTurn ? [] : ['--no-auto-maintenance']),
        '--',
        target.remote.url,
        ...refspecs,
      ],
      remote: target.remote,
      signal: target.signal,
      timeoutMs: FETCH_TIMEOUT_MS,
    })
  }

  /** The branch moved on while we looked: a server may still give the commit itself. */
  private async fetchCommit(target: FetchTarget, commitSha: string): Promise<void> {
    const name = target.repository.name
    try {
      await this.fetch(target, this.pathOf(name), [commitSha])
    } catch (error) {
      if (!isAppError(error, 'GIT_COMMIT_NOT_FOUND')) throw error
    }
    if (await this.hasCommit(name, commitSha)) return
    throw failure(
      'GIT_COMMIT_NOT_FOUND',
      `commit ${commitSha} of ${name} is no longer on the git server: it was force-pushed away or deleted`,
    )
  }

  private async isUsable(repository: string): Promise<boolean> {
    await this.removeUnfinished()
    if (this.usable.has(repository)) return true
    const path = this.pathOf(repository)
    const answer = await this.runner.run({
      action: `open the mirror of ${repository}`,
      args: [`--git-dir=${path}`, 'rev-parse', '--is-bare-repository'],
      answers: [0, 128],
    })
    if (answer.exitCode !== 0 || answer.stdout.toString().trim() !== 'true') return false
    // Records of worktrees whose folders went while nobody looked.
    await this.runner.run({
      action: `tidy ${repository}`,
      args: [`--git-dir=${path}`, 'worktree', 'prune', '--expire=now'],
    })
    this.usable.add(repository)
    return true
  }

  /** Once per process: what a killed process left half made. */
  private removeUnfinished(): Promise<void> {
    this.cleaned ??= (async () => {
      await mkdir(this.runner.directory, { recursive: true })
      const names = await readdir(this.runner.directory)
      const unfinished = names.filter((name) => name.startsWith(UNFINISHED))
      await Promise.all(
        unfinished.map((name) => rm(join(this.runner.directory, name), { recursive: true, force: true })),
      )
    })()
    return this.cleaned
  }
}

interface FetchTarget {
  readonly repository: RepositoryRef
  readonly remote: GitUrl
  readonly signal: AbortSignal
}
