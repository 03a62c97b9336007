import { dirname, resolve } from 'node:path'
import { failure } from '../../errors.js'
import { parseNulList } from './git-parsers.js'
import { createGitRunner, type GitRunner } from './git-runner.js'

const SHORT_SHA_LENGTH = 8
const RELEASE_TAG = /^v(\d+)\.(\d+)(?:\.(\d+))?$/

/** Where a version is counted: a repository (`--git-dir=` or `-C`) and a full commit id. */
interface VersionTarget {
  readonly repositoryArgs: readonly string[]
  readonly commitSha: string
  readonly action: string
}

/**
 * `v<major>.<minor>-<commits since tag>-<short sha>` from the nearest tag `v1.2` (or `v1.2.3`) that is an ancestor; `v0.0-<all commits>-…` without one.
 * Tags with a suffix are not releases. The short sha has always {@link SHORT_SHA_LENGTH} digits: git's own abbreviation grows with the
 * clone, and the version must be the same text in CI and here.
 */
export async function describeVersion(runner: GitRunner, target: VersionTarget): Promise<string> {
  const short = target.commitSha.slice(0, SHORT_SHA_LENGTH)
  const tag = await nearestTag(runner, target)
  const commits = await countCommits(runner, target, tag)
  const release = tag === undefined ? [0, 0] : await highestReleaseAt(runner, target, tag)
  return `v${release[0]}.${release[1]}-${commits}-${short}`
}

/** What {@link describeVersionOfDirectory} needs besides the folder. */
export interface DirectoryVersionOptions {
  readonly signal?: AbortSignal
  /** Environment of the caller, i.e. `process.env`: PATH, HOME and the like are passed on to git. */
  readonly host: Readonly<Record<string, string | undefined>>
}

/**
 * The version of what is checked out in a folder: the text that `{version}` becomes for its commit.
 * @throws AppError `GIT_REPOSITORY_NOT_FOUND`: no repository there. `GIT_SHALLOW_CLONE`: the history is cut, a count would be wrong.
 */
export async function describeVersionOfDirectory(directory: string, options: DirectoryVersionOptions): Promise<string> {
  const path = resolve(directory)
  const repositoryArgs = ['-C', path]
  const runner = createGitRunner('/', options.host)
  const look = async (args: readonly string[]): Promise<string> => {
    const action = `read the version of ${path}`
    const answer = await runner.run({ action, args: [...repositoryArgs, ...args], signal: options.signal })
    return answer.stdout.toString().trim()
  }
  if ((await look(['rev-parse', '--is-shallow-repository'])) === 'true') {
    throw failure(
      'GIT_SHALLOW_CLONE',
      `could not read the version of ${path}: the clone is shallow, so commits cannot be counted; run \`git fetch --unshallow --tags\``,
    )
  }
  const commitSha = await look(['rev-parse', '--verify', '--end-of-options', 'HEAD^{commit}'])
  return describeVersion(runner, {
    repositoryArgs,
    commitSha,
    action: `read the version of ${dirname(path) === path ? '/' : path}`,
  })
}

async function nearestTag(runner: GitRunner, target: VersionTarget): Promise<string | undefined> {
  const answer = await runner.run({
    action: target.action,
    args: [
      ...target.repositoryArgs,
      'describe',
      '--tags',
      '--abbrev=0',
      '--match=v[0-9]*.[0-9]*',
      '--exclude=v*[!0-9.]*',
      '--exclude=v*.*.*.*',
      target.commitSha,
    ],
    answers: [0, 128],
  })
  const tag = answer.exitCode === 0 ? answer.stdout.toString().trim() : ''
  return tag === '' ? undefined : tag
}

async function countCommits(runner: GitRunner, target: VersionTarget, tag: string | undefined): Promise<number> {
  const range = tag === undefined ? [] : [`^refs/tags/${tag}`]
  const answer = await runner.run({
    action: target.action,
    args: [...target.repositoryArgs, 'rev-list', '--count', target.commitSha, ...range, '--'],
  })
  return Number(answer.stdout.toString().trim())
}

/** Several release tags on the tagged commit: the highest one counts, whatever order git found them in. */
async function highestReleaseAt(runner: GitRunner, target: VersionTarget, tag: string): Promise<readonly number[]> {
  const answer = await runner.run({
    action: target.action,
    args: [
      ...target.repositoryArgs,
      'for-each-ref',
      '--format=%(refname:strip=2)%00',
      `--points-at=refs/tags/${tag}^{commit}`,
      '--',
      'refs/tags/',
    ],
  })
  const releases = parseNulList(answer.stdout).flatMap((name) => {
    const match = RELEASE_TAG.exec(name.trim())
    return match === null ? [] : [match.slice(1).map((part) => Number(part ?? 0))]
  })
  return releases.sort(descending)[0] ?? [0, 0]
}

function descending(left: readonly number[], right: readonly number[]): number {
  const difference = left.map((part, index) => (right[index] ?? 0) - part).find((delta) => delta !== 0)
  return difference ?? 0
}
