import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { promisify } from 'node:util'

/** What a folder says about the service in it; undefined: it does not. */
export interface Findings {
  readonly folderName: string
  readonly packageName: string | undefined
  /** `npm run start`, from package.json. */
  readonly startScript: string | undefined
  /** The first port of `EXPOSE`. */
  readonly exposedPort: number | undefined
  /** The program of `CMD` or `ENTRYPOINT` in list form. */
  readonly imageCommand: string | undefined
  readonly hasDockerfile: boolean
  /** `origin`, without a user or password. */
  readonly origin: string | undefined
  readonly defaultBranch: string | undefined
}

const GIT_TIMEOUT_MS = 5_000
const run = promisify(execFile)

/** Reads package.json, Dockerfile and git's own configuration. Starts nothing of the folder's. */
export async function lookAround(folder: string): Promise<Findings> {
  const manifest = await readManifest(join(folder, 'package.json'))
  const dockerfile = await readText(join(folder, 'Dockerfile'))
  return {
    folderName: basename(resolve(folder)),
    packageName: textIn(manifest, 'name'),
    startScript: textIn(memberOf(manifest, 'scripts'), 'start'),
    exposedPort: exposedPort(dockerfile ?? ''),
    imageCommand: imageCommand(dockerfile ?? ''),
    hasDockerfile: dockerfile !== undefined,
    origin: withoutCredentials(await git(folder, ['config', '--get', 'remote.origin.url'])),
    defaultBranch: await findDefaultBranch(folder),
  }
}

async function findDefaultBranch(folder: string): Promise<string | undefined> {
  const head = await git(folder, ['symbolic-ref', '--short', 'refs/remotes/origin/HEAD'])
  return head?.replace(/^origin\//, '') ?? git(folder, ['symbolic-ref', '--short', 'HEAD'])
}

/** Undefined when git is not there, or the folder is no repository. */
async function git(folder: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await run('git', ['-C', folder, ...args], { timeout: GIT_TIMEOUT_MS })
    return stdout.trim() === '' ? undefined : stdout.trim()
  } catch {
    return undefined
  }
}

function exposedPort(dockerfile: string): number | undefined {
  const port = Number(/^\s*EXPOSE\s+(\d{1,5})/im.exec(dockerfile)?.[1])
  return port > 0 && port <= 65_535 ? port : undefined
}

/** The shell form is no list of words, and Tributary starts no shell. */
function imageCommand(dockerfile: string): string | undefined {
  const words = ['ENTRYPOINT', 'CMD'].flatMap((name) =>
    listOf(new RegExp(`^\\s*${name}\\s+(\\[.*\\])\\s*$`, 'im').exec(dockerfile)?.[1]),
  )
  return words.length === 0
    ? undefined
    : words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(' ')
}

function listOf(text: string | undefined): readonly string[] {
  const value = parseJson(text ?? '[]')
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : []
}

async function readManifest(file: string): Promise<unknown> {
  const text = await readText(file)
  return text === undefined ? undefined : parseJson(text)
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch {
    return undefined
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined
}

function textIn(value: unknown, name: string): string | undefined {
  const text = memberOf(value, name)
  return typeof text === 'string' && text.trim() !== '' ? text.trim() : undefined
}

function withoutCredentials(url: string | undefined): string | undefined {
  return url?.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1')
}
