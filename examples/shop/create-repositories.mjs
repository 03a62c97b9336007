import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { git } from './git.mjs'

const HERE = dirname(fileURLToPath(import.meta.url))
const PROJECT = resolve(HERE, '../..')

/** Names of the example's repositories. */
export const REPOSITORIES = ['shop', 'payments']

/**
 * Makes the example's bare git repositories in `directory`: a branch `main` with one commit that bears the tag `v1.0`. With
 * `contextFile` (what `tributary up` writes) a push tells the env-manager. Answers their paths by name; repositories that are there stay.
 */
export async function createRepositories({ directory, contextFile }) {
  await mkdir(directory, { recursive: true })
  const entries = []
  for (const name of REPOSITORIES) {
    const bare = join(directory, `${name}.git`)
    if (!(await isComplete(bare))) await createRepository(bare, name)
    if (contextFile !== undefined) await installHook(bare, contextFile)
    entries.push([name, bare])
  }
  return Object.fromEntries(entries)
}

/** Writes a platform configuration (`tributary.config.yaml`) for repositories by name; `settings` are further top-level members. */
export async function writePlatformConfig({ file, repositories, settings = {} }) {
  const config = {
    apiVersion: 'tributary/v1',
    kind: 'Platform',
    repositories: Object.entries(repositories).map(([name, url]) => ({ name, url })),
    ...settings,
  }
  // JSON is YAML, and it needs no quoting rules for paths.
  await writeFile(file, `${JSON.stringify(config, null, 2)}\n`)
}

/**
 * Lets everything below `directory` import `@tributary/sdk` from this project: it stands in for the `npm ci` that a service of your own
 * would name as its build command.
 */
export async function linkSdk(directory) {
  const scope = join(directory, 'node_modules', '@tributary')
  await mkdir(scope, { recursive: true })
  await rm(join(scope, 'sdk'), { force: true })
  await symlink(join(PROJECT, 'sdk'), join(scope, 'sdk'))
}

/** The tag is pushed last: a repository that has it is whole, one that an interrupted run has left is made anew. */
async function isComplete(bare) {
  return git(bare, 'rev-parse', '--verify', '--quiet', 'refs/tags/v1.0').then(
    () => true,
    () => false,
  )
}

async function createRepository(bare, name) {
  await rm(bare, { recursive: true, force: true })
  await mkdir(bare)
  await git(bare, 'init', '--quiet', '--bare', '--initial-branch=main')
  const work = await mkdtemp(join(tmpdir(), 'tributary-shop-'))
  try {
    await cp(join(HERE, 'repositories', name), work, { recursive: true })
    await git(work, 'init', '--quiet', '--initial-branch=main')
    await git(work, 'add', '--all')
    await git(work, 'commit', '--quiet', '--message', `Open the ${name}`)
    await git(work, 'push', '--quiet', bare, 'main')
    await git(work, 'tag', 'v1.0')
    await git(work, 'push', '--quiet', bare, 'v1.0')
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function installHook(bare, contextFile) {
  await writeFile(join(bare, 'tributary-hook.json'), `${JSON.stringify({ contextFile: resolve(contextFile) })}\n`)
  const hook = await readFile(join(HERE, 'hooks', 'post-receive'))
  await mkdir(join(bare, 'hooks'), { recursive: true })
  await writeFile(join(bare, 'hooks', 'post-receive'), hook, { mode: 0o755 })
}
