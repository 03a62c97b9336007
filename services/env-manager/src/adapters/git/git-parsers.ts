import type { CommitAuthor } from '../../domain/owner.js'
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
  readonly path: string
  readonly sha: string
  /** NaN when the mirror lacks the blob. */
  readonly sizeBytes: number
}

/** The regular files of an `ls-tree -l -z` answer, without symlinks, folders and submodules. */
export function parseBlobs(output: Buffer): readonly ListedBlob[] {
  return parseNulList(output).flatMap((entry) => {
    const [, sha, size, path] = /^100\d{3} blob ([0-9a-f]+) +(\d+|BAD)\t(.+)$/s.exec(entry) ?? []
    return sha === undefined || size === undefined || path === undefined ? [] : [{ path, sha, sizeBytes: Number(size) }]
  })
}

/**
 * Contents by object id of a `cat-file --batch` answer: for each object a line `<id> blob <bytes>`, its content and a line feed. Undefined when an object
 * is missing or the answer is cut: the mirror is damaged then.
 */
export function parseBatch(output: Buffer): ReadonlyMap<string, Buffer> | undefined {
  const contents = new Map<string, Buffer>()
  for (let start = 0; start < output.length;) {
    const lineEnd = output.indexOf(0x0a, start)
    const [, sha, size] =
      /^([0-9a-f]+) blob (\d+)$/.exec(output.toString('latin1', start, Math.max(start, lineEnd))) ?? []
    const end = lineEnd + 1 + Number(size)
    if (sha === undefined || output[end] !== 0x0a) return undefined
    contents.set(sha, output.subarray(lineEnd + 1, end))
    start = end + 1
  }
  return contents
}

/**
 * Reads `<author>\0<address>\0<committer's epoch seconds>\n`. Bytes that are not UTF-8 become U+FFFD.
 * @throws AppError `GIT_ANSWER_INVALID`
 */
export function parseAuthor(output: Buffer, repository: string): CommitAuthor {
  const [name, email, seconds, ...rest] = output.toString('utf8').replace(/\n$/, '').split('\0')
  if (name === undefined || email === undefined || seconds === undefined || rest.length > 0 || !/^\d+$/.test(seconds)) {
    throw failure('GIT_ANSWER_INVALID', `git's answer about the author of a commit of ${repository} makes no sense`)
  }
  return { name, email, committedAt: Number(seconds) * 1000 }
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
