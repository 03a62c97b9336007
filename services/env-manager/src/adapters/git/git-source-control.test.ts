import { createServer } from 'node:http'
import { chmod, copyFile, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RepositoryRef, SourceControl } from '../../ports/source-control.js'
import { TestRepository, temporaryFolder, type TemporaryFolder } from './git-repository.test-support.js'
import { createGitSourceControl } from './git-source-control.js'
import { describeVersionOfDirectory } from './git-version.js'

const { signal } = new AbortController()
const MISSING = '0123456789'.repeat(4)

let folder: TemporaryFolder
let shop: TestRepository
let git: SourceControl
let data: string

beforeEach(async () => {
  folder = await temporaryFolder()
  data = join(folder.path, 'data')
  shop = await TestRepository.create(join(folder.path, 'shop'))
  git = createGitSourceControl({ dataDirectory: data, host: process.env })
})
afterEach(() => folder[Symbol.asyncDispose]())

async function exists(path: string): Promise<boolean> {
  return readdir(join(path, '..')).then(
    (names) => names.includes(path.split('/').at(-1) ?? ''),
    () => false,
  )
}

/** A commit that the mirror has. */
async function fetched(files: Record<string, string>): Promise<string> {
  const sha = await shop.commit(files)
  await git.ensureCommit(shop.ref, sha, { signal })
  return sha
}

/** Of the file `a`. */
async function textOf(sha: string): Promise<unknown> {
  return (await git.readFiles(shop.ref, sha, { paths: ['a'], maxBytes: 100 })).get('a')
}

describe('listBranches', () => {
  test('lists every branch, hostile names included, and runs nothing of them', async () => {
    const sha = await shop.commit({ a: '1' })
    const names = [
      '-x',
      '--upload-pack=touch${IFS}pwned',
      'feature/ünï-✓',
      'a;touch${IFS}pwned',
      '$(touch${IFS}pwned)',
      'a|b',
      "it's",
    ]
    for (const name of names) await shop.git('update-ref', `refs/heads/${name}`, sha)
    const branches = await git.listBranches(shop.ref, { signal })
    expect([...branches.keys()].sort()).toEqual([...names, 'main'].sort())
    expect(new Set(branches.values())).toEqual(new Set([sha]))
    for (const place of [folder.path, data, join(data, 'mirrors'), shop.path])
      expect(await readdir(place)).not.toContain('pwned')
  })

  test('answers no branches only for a repository that has none', async () => {
    expect((await git.listBranches(shop.ref, { signal })).size).toBe(0)
  })

  test('leaves out and reports a branch whose name is not UTF-8', async () => {
    const sha = await shop.commit({ a: '1' })
    await writeFile(
      join(shop.path, '.git/packed-refs'),
      Buffer.concat([Buffer.from(`${sha} refs/heads/bad-`), Buffer.from([0xff, 0x0a])]),
    )
    const warnings: string[] = []
    const warned = createGitSourceControl({
      dataDirectory: data,
      host: process.env,
      onWarning: (message) => warnings.push(message),
    })
    expect([...(await warned.listBranches(shop.ref, { signal })).keys()]).toEqual(['main'])
    expect(warnings).toEqual([expect.stringContaining('not UTF-8')])
  })

  test.each([
    ['a path that is not there', '/nowhere/shop.git', 'GIT_REPOSITORY_NOT_FOUND'],
    ['a server that is not there', 'http://127.0.0.1:9/shop.git', 'GIT_UNREACHABLE'],
    ['a remote helper', 'ext::sh -c touch% pwned', 'GIT_URL_INVALID'],
    ['an option', '--upload-pack=touch pwned', 'GIT_URL_INVALID'],
  ])('rejects %s', async (_, url, code) => {
    const repository: RepositoryRef = { name: 'x', url, integrationBranch: 'main' }
    await expect(git.listBranches(repository, { signal })).rejects.toMatchObject({ code })
  })

  test('stops when nobody wants the answer any more', async () => {
    await using server = await listenSilently()
    const controller = new AbortController()
    const listing = git.listBranches(
      { name: 'x', url: `http://127.0.0.1:${server.port}/x`, integrationBranch: 'main' },
      controller,
    )
    await server.asked
    controller.abort()
    await expect(listing).rejects.toMatchObject({ code: 'GIT_CANCELED' })
  })

  test('sends the credentials of a URL and never repeats them', async () => {
    await using server = await listenRefusing()
    const url = `http://bot:hunter2@127.0.0.1:${server.port}/shop.git`
    const failure: unknown = await git
      .listBranches({ name: 'shop', url, integrationBranch: 'main' }, { signal })
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'GIT_AUTHENTICATION_FAILED' })
    expect(server.authorizations).toContain(`Basic ${Buffer.from('bot:hunter2').toString('base64')}`)
    expect(inspectAll(failure)).not.toContain('hunter2')
  })
})

describe('ensureCommit', () => {
  test('fetches what was pushed since, and a commit that was force-pushed away stays readable', async () => {
    const first = await fetched({ a: '1' })
    await shop.git('commit', '--quiet', '--amend', '-m', 'rewritten')
    const second = await shop.git('rev-parse', 'HEAD')
    await git.ensureCommit(shop.ref, second, { signal })
    expect(await textOf(first)).toBe('1')
    expect(await textOf(second)).toBe('1')
  })

  test('gets a commit that no branch has any more from a server that still holds it', async () => {
    const lost = await shop.commit({ a: 'lost' })
    await shop.git('commit', '--quiet', '--amend', '-m', 'rewritten')
    await shop.git('config', 'uploadpack.allowAnySHA1InWant', 'true')
    await git.ensureCommit(shop.ref, lost, { signal })
    expect(await textOf(lost)).toBe('lost')
  })

  test('says so when the server does not have the commit', async () => {
    await shop.commit({ a: '1' })
    await expect(git.ensureCommit(shop.ref, MISSING, { signal })).rejects.toMatchObject({
      code: 'GIT_COMMIT_NOT_FOUND',
    })
  })

  test('refuses what is not a full commit id', async () => {
    await expect(git.ensureCommit(shop.ref, '--all', { signal })).rejects.toMatchObject({ code: 'GIT_PATH_INVALID' })
  })

  test('serves concurrent callers from one mirror', async () => {
    const shas = [await shop.commit({ a: '1' }), await shop.commit({ a: '2' }), await shop.commit({ a: '3' })]
    await Promise.all(shas.flatMap((sha) => [sha, sha]).map((sha) => git.ensureCommit(shop.ref, sha, { signal })))
    expect(await readdir(join(data, 'mirrors'))).toEqual(['shop.git'])
  })

  test.each([
    ['an empty folder', async (mirror: string) => mkdir(mirror)],
    [
      'a mirror without objects',
      async (mirror: string) => {
        await mkdir(join(mirror, 'refs'), { recursive: true })
        await writeFile(join(mirror, 'HEAD'), 'ref: refs/heads/main\n')
      },
    ],
  ])('replaces %s by a whole mirror', async (_, damage) => {
    await mkdir(join(data, 'mirrors', '.tmp-0123.git/objects'), { recursive: true })
    await damage(join(data, 'mirrors', 'shop.git'))
    const sha = await fetched({ a: '1' })
    expect(await textOf(sha)).toBe('1')
    expect(await readdir(join(data, 'mirrors'))).toEqual(['shop.git'])
  })

  test('makes a mirror with damaged objects anew', async () => {
    await fetched({ a: '1' })
    const packs = join(data, 'mirrors/shop.git/objects/pack')
    for (const name of await readdir(packs)) {
      await chmod(join(packs, name), 0o600)
      await writeFile(join(packs, name), 'garbage')
    }
    const sha = await fetched({ a: '2' })
    expect(await textOf(sha)).toBe('2')
  })

  test('makes a mirror anew after a read found that it lacks a part', async () => {
    const sha = await fetched({ 'a/b': '1' })
    const objects = join(data, 'mirrors/shop.git/objects')
    const fan = join(shop.path, '.git/objects')
    await rm(join(objects, 'pack'), { recursive: true })
    await mkdir(join(objects, sha.slice(0, 2)))
    await copyFile(join(fan, sha.slice(0, 2), sha.slice(2)), join(objects, sha.slice(0, 2), sha.slice(2)))
    await expect(git.listFiles(shop.ref, sha)).rejects.toMatchObject({ code: expect.stringMatching(/^GIT_/) })
    await git.ensureCommit(shop.ref, sha, { signal })
    expect(await git.listFiles(shop.ref, sha)).toEqual(['a/b'])
  })

  test('makes a mirror anew after a read found that it lacks a file, which is not taken for one that was deleted', async () => {
    const sha = await fetched({ a: '1' })
    const objects = join(data, 'mirrors/shop.git/objects')
    await rm(join(objects, 'pack'), { recursive: true })
    const tree = (await shop.git('rev-parse', `${sha}^{tree}`)).trim()
    for (const one of [sha, tree]) {
      const place = join(one.slice(0, 2), one.slice(2))
      await mkdir(join(objects, one.slice(0, 2)), { recursive: true })
      await copyFile(join(shop.path, '.git/objects', place), join(objects, place))
    }
    await expect(textOf(sha)).rejects.toMatchObject({ code: 'GIT_FAILED' })
    await git.ensureCommit(shop.ref, sha, { signal })
    expect(await textOf(sha)).toBe('1')
  })

  test('keeps a sound mirror when a commit that it never had was asked for', async () => {
    const sha = await fetched({ a: '1' })
    await git.ensureCheckout(shop.ref, sha, join(data, 'tree'))
    await expect(git.listFiles(shop.ref, MISSING)).rejects.toMatchObject({ code: expect.stringMatching(/^GIT_/) })
    await git.ensureCommit(shop.ref, sha, { signal })
    expect(await git.listCheckouts()).toHaveLength(1)
  })

  test('does not run the hooks of a repository or of a template', async () => {
    const sha = await shop.commit({ a: '1' })
    const hook = `#!/bin/sh\ntouch ${folder.path}/hook-ran\n`
    await git.ensureCommit(shop.ref, sha, { signal })
    const hooks = join(data, 'mirrors/shop.git/hooks')
    await mkdir(hooks, { recursive: true })
    for (const name of ['post-checkout', 'reference-transaction'])
      await writeFile(join(hooks, name), hook, { mode: 0o755 })
    await git.ensureCommit(shop.ref, await shop.commit({ a: '2' }), { signal })
    await git.ensureCheckout(shop.ref, sha, join(data, 'tree'))
    expect(await readdir(folder.path)).not.toContain('hook-ran')
  })
})

describe('changedPaths', () => {
  test('compares with the merge base and not with the tip', async () => {
    await shop.commit({ 'a/x': '1', 'b/x': '1' })
    await shop.branch('feature')
    const head = await shop.commit({ 'a/x': '2', 'a/ü "\n': 'odd' })
    await shop.git('checkout', '--quiet', 'main')
    const base = await shop.commit({ 'b/x': '2' })
    await git.ensureCommit(shop.ref, base, { signal })
    expect([...(await git.changedPaths(shop.ref, { base, head }))].sort()).toEqual(['a/x', 'a/ü "\n'])
  })

  test('of a stacked branch are those beyond the branch below', async () => {
    await shop.commit({ a: '1' })
    await shop.branch('below')
    const base = await shop.commit({ b: '1' })
    await shop.branch('above')
    const head = await fetched({ c: '1' })
    expect(await git.changedPaths(shop.ref, { base, head })).toEqual(['c'])
  })

  test('names both sides of a move and what was deleted', async () => {
    const base = await shop.commit({ 'a/x': 'same text', 'a/y': '1' })
    await shop.git('mv', 'a/x', 'b-x')
    await shop.git('rm', '--quiet', 'a/y')
    const head = await fetched({})
    expect([...(await git.changedPaths(shop.ref, { base, head }))].sort()).toEqual(['a/x', 'a/y', 'b-x'])
  })

  test('are all paths of the head when there is no merge base', async () => {
    const base = await shop.commit({ a: '1' })
    await shop.git('checkout', '--quiet', '--orphan', 'other')
    const head = await fetched({ b: '1' })
    expect(await git.changedPaths(shop.ref, { base, head })).toEqual(['a', 'b'])
  })

  test('are none when the branch is merged', async () => {
    const head = await shop.commit({ a: '1' })
    const base = await fetched({ b: '1' })
    expect(await git.changedPaths(shop.ref, { base, head })).toEqual([])
  })
})

describe('readFiles', () => {
  test('reads texts at a commit, also from paths with odd bytes', async () => {
    const files = { 'a/-b ü*': 'text ✓', empty: '', 'c/d': 'no line feed', same: 'text ✓' }
    const sha = await fetched(files)
    const paths = Object.keys(files).toReversed()
    expect(Object.fromEntries(await git.readFiles(shop.ref, sha, { paths, maxBytes: 100 }))).toEqual(files)
  })

  test('reads more files than fit into one command', async () => {
    const files = Object.fromEntries(Array.from({ length: 250 }, (_, index) => [`f/${index}`, `text ${index}`]))
    const sha = await fetched(files)
    const texts = await git.readFiles(shop.ref, sha, { paths: Object.keys(files), maxBytes: 100 })
    expect(Object.fromEntries(texts)).toEqual(files)
  })

  test('leaves out what is not a file there', async () => {
    await symlink('/etc/passwd', join(shop.path, 'link'))
    const sha = await fetched({ 'a/b': '1' })
    const paths = ['nothing', 'a', 'link', 'link/b', 'a/b/c']
    expect(await git.readFiles(shop.ref, sha, { paths, maxBytes: 100 })).toEqual(new Map())
    expect(await git.readFiles(shop.ref, sha, { paths: [], maxBytes: 100 })).toEqual(new Map())
  })

  test.each(['../x', '/etc/passwd', 'a//b', '', 'a/./b', 'a\0b'])('refuses the path %j', async (path) => {
    const sha = await fetched({ a: '1' })
    await expect(git.readFiles(shop.ref, sha, { paths: ['a', path], maxBytes: 100 })).rejects.toMatchObject({
      code: 'GIT_PATH_INVALID',
    })
  })

  test('tells of a file over its bound, and reads the others', async () => {
    const sha = await fetched({ big: 'x'.repeat(101), small: 'x'.repeat(100) })
    const texts = await git.readFiles(shop.ref, sha, { paths: ['big', 'small'], maxBytes: 100 })
    expect(texts.get('big')).toMatchObject({ code: 'GIT_FILE_TOO_LARGE' })
    expect(texts.get('small')).toBe('x'.repeat(100))
  })
})

describe('describeVersion', () => {
  test('counts the commits since the nearest release tag', async () => {
    await shop.commit({ a: '1' })
    await shop.git('tag', 'v1.9')
    await shop.commit({ a: '2' })
    await shop.git('tag', '-a', 'v1.10', '-m', 'release')
    await shop.git('tag', 'v1.2')
    await shop.git('tag', 'v2.0-rc1')
    await shop.git('tag', 'version3.0')
    await shop.commit({ a: '3' })
    const sha = await fetched({ a: '4' })
    expect(await git.describeVersion(shop.ref, sha)).toBe(`v1.10-2-${sha.slice(0, 8)}`)
    expect(await describeVersionOfDirectory(shop.path, { host: process.env })).toBe(`v1.10-2-${sha.slice(0, 8)}`)
  })

  test('is v0.0 with all commits when there is no tag', async () => {
    await shop.commit({ a: '1' })
    const sha = await fetched({ a: '2' })
    expect(await git.describeVersion(shop.ref, sha)).toBe(`v0.0-2-${sha.slice(0, 8)}`)
  })

  test('takes a three-part tag by its first two', async () => {
    const sha = await shop.commit({ a: '1' })
    await shop.git('tag', 'v3.4.5')
    await git.ensureCommit(shop.ref, sha, { signal })
    expect(await git.describeVersion(shop.ref, sha)).toBe(`v3.4-0-${sha.slice(0, 8)}`)
  })

  test('refuses to guess in a shallow clone and outside of a repository', async () => {
    await shop.commit({ a: '1' })
    await shop.commit({ a: '2' })
    const clone = join(folder.path, 'clone')
    await shop.git('clone', '--quiet', '--depth=1', `file://${shop.path}`, clone)
    await expect(describeVersionOfDirectory(clone, { host: process.env })).rejects.toMatchObject({
      code: 'GIT_SHALLOW_CLONE',
    })
    await expect(describeVersionOfDirectory(folder.path, { host: process.env })).rejects.toMatchObject({
      code: 'GIT_REPOSITORY_NOT_FOUND',
    })
  })
})

describe('checkouts', () => {
  test('are made, listed, found again and removed without a trace', async () => {
    const sha = await fetched({ 'src/server.js': 'hello' })
    const tree = join(data, 'environments', 'tree')
    await git.ensureCheckout(shop.ref, sha, tree)
    await writeFile(join(tree, 'built'), 'kept')
    await git.ensureCheckout(shop.ref, sha, tree)
    expect(await readFile(join(tree, 'src/server.js'), 'utf8')).toBe('hello')
    expect(await readFile(join(tree, 'built'), 'utf8')).toBe('kept')
    expect(await git.listCheckouts()).toEqual([{ repository: 'shop', directory: tree }])
    await git.removeCheckout(shop.ref, tree)
    await git.removeCheckout(shop.ref, tree)
    expect(await git.listCheckouts()).toEqual([])
    expect(await exists(tree)).toBe(false)
  })

  test('are made anew when they are half made, at another commit, or their folder is gone', async () => {
    const first = await fetched({ a: '1' })
    const second = await fetched({ a: '2' })
    const tree = join(data, 'tree')
    await git.ensureCheckout(shop.ref, first, tree)
    await git.ensureCheckout(shop.ref, second, tree)
    expect(await readFile(join(tree, 'a'), 'utf8')).toBe('2')
    await rm(tree, { recursive: true })
    await git.ensureCheckout(shop.ref, second, tree)
    await writeFile(join(data, 'mirrors/shop.git/worktrees/tree/locked'), 'initializing')
    await rm(join(tree, 'a'))
    await git.ensureCheckout(shop.ref, second, tree)
    expect(await readFile(join(tree, 'a'), 'utf8')).toBe('2')
  })

  test('of one repository can be made side by side', async () => {
    const sha = await fetched({ a: '1' })
    const trees = ['t1', 't2', 't3', 't4'].map((name) => join(data, name))
    await Promise.all(trees.map((tree) => git.ensureCheckout(shop.ref, sha, tree)))
    expect((await git.listCheckouts()).map(({ directory }) => directory).sort()).toEqual(trees)
  })

  test('of a commit that the mirror lacks are refused', async () => {
    await fetched({ a: '1' })
    await expect(git.ensureCheckout(shop.ref, MISSING, join(data, 'tree'))).rejects.toMatchObject({
      code: 'GIT_COMMIT_NOT_FOUND',
    })
  })

  test('do not block a branch from being fetched', async () => {
    const sha = await fetched({ a: '1' })
    await git.ensureCheckout(shop.ref, sha, join(data, 'tree'))
    await expect(fetched({ a: '2' })).resolves.not.toBe(sha)
  })
})

test('a data folder that cannot be made is one clear error', async () => {
  await writeFile(join(folder.path, 'file'), '')
  expect(() => createGitSourceControl({ dataDirectory: join(folder.path, 'file'), host: process.env })).toThrow(
    expect.objectContaining({ code: 'PLATFORM_DATA_UNWRITABLE' }),
  )
})

test('a missing git is one clear error', async () => {
  const bare = createGitSourceControl({ dataDirectory: data, host: { PATH: join(folder.path, 'empty') } })
  await expect(bare.listBranches(shop.ref, { signal })).rejects.toMatchObject({ code: 'GIT_NOT_INSTALLED' })
})

interface TestServer extends AsyncDisposable {
  readonly port: number
}

async function listen(server: ReturnType<typeof createServer>): Promise<TestServer> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the test server has no port')
  return {
    port: address.port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function listenSilently(): Promise<TestServer & { readonly asked: Promise<void> }> {
  let tell = (): void => undefined
  const asked = new Promise<void>((resolve) => (tell = resolve))
  return { ...(await listen(createServer(() => tell()))), asked }
}

async function listenRefusing(): Promise<TestServer & { readonly authorizations: string[] }> {
  const authorizations: string[] = []
  const server = createServer((request, response) => {
    if (request.headers.authorization !== undefined) authorizations.push(request.headers.authorization)
    response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end()
  })
  return { ...(await listen(server)), authorizations }
}

/** Everything that a logger could print of an error. */
function inspectAll(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error)
  return [
    error.message,
    error.stack,
    JSON.stringify(error),
    error.cause === undefined ? '' : inspectAll(error.cause),
  ].join('\n')
}
