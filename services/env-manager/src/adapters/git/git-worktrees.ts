import { realpath, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { KeyedMutex } from '@tributary/kit'
import type { GitMirrors } from './git-mirrors.js'
import { assertCommitSha, parseWorktrees, type ListedWorktree } from './git-parsers.js'
import type { GitRunner } from './git-runner.js'

const CHECKOUT_TIMEOUT_MS = 10 * 60_000

/** Detached worktrees of the mirrors. Changes to the worktrees of one repository never overlap. */
export class GitWorktrees {
  private readonly lock = new KeyedMutex()

  constructor(
    private readonly runner: GitRunner,
    private readonly mirrors: GitMirrors,
  ) {}

  /** A whole worktree of the commit at `directory`; one that is half made or at another commit is made anew. */
  async ensure(repository: string, commitSha: string, directory: string): Promise<void> {
    assertCommitSha(commitSha)
    await this.lock.run(repository, async () => {
      const path = await realPathOf(directory)
      const existing = await this.find(repository, path)
      if (existing !== undefined && (await this.isWhole(existing, commitSha))) return
      await this.discard(repository, path, existing)
      await this.add(repository, commitSha, path)
    })
  }

  /** Removes the folder and git's record of it. */
  async remove(repository: string, directory: string): Promise<void> {
    await this.lock.run(repository, async () => {
      const path = await realPathOf(directory)
      await this.discard(repository, path, await this.find(repository, path))
    })
  }

  /** Worktrees of a repository; none when it has no mirror. */
  async list(repository: string): Promise<ListedWorktree[]> {
    const answer = await this.runner.run({
      action: `list the worktrees of ${repository}`,
      args: [`--git-dir=${this.mirrors.pathOf(repository)}`, 'worktree', 'list', '--porcelain', '-z'],
      answers: [0, 128],
    })
    return answer.exitCode === 0 ? parseWorktrees(answer.stdout) : []
  }

  private async find(repository: string, path: string): Promise<ListedWorktree | undefined> {
    const worktrees = await this.list(repository)
    return worktrees.find((worktree) => worktree.directory === path)
  }

  private async add(repository: string, commitSha: string, path: string): Promise<void> {
    await this.runner.run({
      action: `check out ${commitSha} of ${repository}`,
      args: [
        `--git-dir=${this.mirrors.pathOf(repository)}`,
        'worktree',
        'add',
        '--detach',
        '--force',
        '--quiet',
        '--',
        path,
        commitSha,
      ],
      timeoutMs: CHECKOUT_TIMEOUT_MS,
    })
  }

  /** Git keeps a worktree locked until its files are all there, so a killed `worktree add` is seen. */
  private async isWhole(worktree: ListedWorktree, commitSha: string): Promise<boolean> {
    if (worktree.locked !== undefined || worktree.head !== commitSha) return false
    const answer = await this.runner.run({
      action: `look at ${worktree.directory}`,
      cwd: dirname(worktree.directory),
      args: ['-C', worktree.directory, 'rev-parse', '--verify', 'HEAD'],
      answers: [0, 128],
    })
    return answer.stdout.toString().trim() === commitSha
  }

  private async discard(repository: string, path: string, existing: ListedWorktree | undefined): Promise<void> {
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
    if (existing === undefined) return
    await this.runner.run({
      action: `forget the worktree ${path} of ${repository}`,
      // Twice: also when git kept it locked because its making was interrupted.
      args: [`--git-dir=${this.mirrors.pathOf(repository)}`, 'worktree', 'remove', '--force', '--force', '--', path],
    })
  }
}

/** The path as git writes it: with symlinks resolved, although its last part need not exist. */
async function realPathOf(directory: string): Promise<string> {
  try {
    return await realpath(directory)
  } catch {
    const parent = await realpath(dirname(directory)).catch(() => dirname(directory))
    return join(parent, basename(directory))
  }
}
