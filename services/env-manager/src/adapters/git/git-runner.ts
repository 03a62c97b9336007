import { dirname } from 'node:path'
import { gitEnvironment } from './git-environment.js'
import { runGit, type GitAnswer, type GitCommand } from './git-command.js'
import type { GitUrl } from './git-url.js'

/** A command as the adapter's parts write it: where and as whom it runs is added here. */
export interface GitCall extends Omit<GitCommand, 'cwd' | 'environment'> {
  /** Default: the runner's own folder. */
  readonly cwd?: string
  /** Remote that is talked to: its credentials go into the environment of this one command. */
  readonly remote?: GitUrl
}

/** Runs git commands from one folder. */
export interface GitRunner {
  readonly directory: string
  run(call: GitCall): Promise<GitAnswer>
}

/** A runner whose commands never pick up a repository that happens to lie around `directory`. */
export function createGitRunner(directory: string, host: Readonly<Record<string, string | undefined>>): GitRunner {
  return {
    directory,
    run: ({ cwd, remote, ...call }) =>
      runGit({
        ...call,
        cwd: cwd ?? directory,
        environment: gitEnvironment({ host, ceiling: dirname(directory), authorization: remote?.authorization }),
      }),
  }
}
