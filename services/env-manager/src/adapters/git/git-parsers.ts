import { failure } from '../../errors.js'

const HEAD_LINE = /^([0-9a-f]{40}|[0-9a-f]{64})\trefs\/heads\/([^\p{Cc} ~^:?*[\\]+)$/u
const COMMIT_SHA = /^[0-9a-f]{40}([0-9a-f]{24})?$/

/** Branches of an `ls-remote --heads` answer, and lines that name a branch which is not UTF-8. */
export interface ListedHeads {
  readonly branches: ReadonlyMap<string, string>
  /** Branch names that cannot be represented; such branches get no environment. */
  readonly unreadable: readonly string[]
}

/**
 * Reads the answer of `git ls-remote --heads`. Strict: one line that is not `<sha>\trefs/heads/<name>`, a branch twice or a cut last
 * line make the whole answer worthless, because a branch that is missing from it would be torn down.
 * @throws AppError `GIT_ANSWER_INVALID`
 */
export function parseHeads(output: Buffer, repository: string): ListedHeads {
  const branches = new Map<string, string>()
  const unreadable: string[] = []
  if (output.length === 0) return { branches, unreadable }
  if (output.at(-1) !== 0x0a) throw invalidAnswer(repository, 'its last line is cut')
  for (const line of splitBytes(output, 0x0a)) {
    const text = decodeStrict(line)
    if (text === undefined) unreadable.push(line.toString('latin1').slice(0, 200))
    else addHead(branches, text, repository)
  }
  return { branches, unreadable }
}

function addHead(branches: Map<string, string>, line: string, repository: string): void {
  const match = HEAD_LINE.exec(line)
  const [, sha, name] = match ?? []
  if (sha === undefined || name === undefined)
    throw invalidAnswer(repository, `a line reads ${JSON.stringify(line.slice(0, 200))}`)
  if (branches.has(name)) throw invalidAnswer(repository, `it lists ${JSON.stringify(name)} twice`)
  branches.set(name, sha)
}

function invalidAnswer(repository: string, why: string): Error {
  return failure(
    'GIT_ANSWER_INVALID',
    `the git server's list of the branches of ${repository} makes no sense: ${why}; nothing is changed because of it`,
  )
}

/** Texts of a NUL-terminated list, as git's `-z` prints it. Bytes that are not UTF-8 become U+FFFD. */
export function parseNulList(output: Buffer): string[] {
  return splitBytes(output, 0)
    .map((item) => item.toString('utf8'))
    .filter((item) => item !== '')
}

/** A blob as `ls-tree -l -z` lists it. */
export interface ListedBlob {
  readonly sha: string
  readonly sizeBytes: number
}

/** The regular file that a one-entry `ls-tree -l -z` answer names; undefined for none, a symlink, a folder or a submodule. */
export function parseBlob(output: Buffer): ListedBlob | undefined {
  const entry = parseNulList(output)[0]
  const match = entry === undefined ? null : /^100\d{3} blob ([0-9a-f]+) +(\d+)\t/.exec(entry)
  const [, sha, size] = match ?? []
  return sha === undefined || size === undefined ? undefined : { sha, sizeBytes: Number(size) }
}

/** A worktree as `worktree list --porcelain -z` lists it. */
export interface ListedWorktree {
  readonly directory: string
  readonly head: string | undefined
  /** Why git keeps it locked; `initializing` while (or because) `worktree add` did not end. */
  readonly locked: string | undefined
}

/** Worktrees of a bare mirror, without the mirror itself. */
export function parseWorktrees(output: Buffer): ListedWorktree[] {
  return output
    .toString('utf8')
    .split('\0\0')
    .map((block) => block.split('\0').filter((line) => line !== ''))
    .filter((lines) => lines[0]?.startsWith('worktree ') === true && !lines.includes('bare'))
    .map((lines) => ({
      directory: valueOf(lines, 'worktree') ?? '',
      head: valueOf(lines, 'HEAD'),
      locked: valueOf(lines, 'locked'),
    }))
}

function valueOf(lines: readonly string[], label: string): string | undefined {
  const line = lines.find((candidate) => candidate === label || candidate.startsWith(`${label} `))
  return line === undefined ? undefined : line.slice(label.length + 1)
}

/** @throws AppError `GIT_PATH_INVALID` when the text is not a full commit id, so that it can never be read as an option or a ref. */
export function assertCommitSha(text: string): void {
  if (!COMMIT_SHA.test(text)) {
    throw failure(
      'GIT_PATH_INVALID',
      `${JSON.stringify(text.slice(0, 100))} is not a commit id of 40 or 64 hexadecimal digits`,
    )
  }
}

/** @throws AppError `GIT_PATH_INVALID` when the text is not a path of a file inside a repository. */
export function assertRepositoryPath(path: string): void {
  const segments = path.split('/')
  if (path.includes('\0') || segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    throw failure('GIT_PATH_INVALID', `${JSON.stringify(path.slice(0, 200))} is not a path inside a repository`)
  }
}

function splitBytes(bytes: Buffer, separator: number): Buffer[] {
  const parts: Buffer[] = []
  let start = 0
  for (let end = bytes.indexOf(separator); end !== -1; end = bytes.indexOf(separator, start)) {
    parts.push(bytes.subarray(start, end))
    start = end + 1
  }
  if (start < bytes.length) parts.push(bytes.subarray(start))
  return parts
}

function decodeStrict(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
