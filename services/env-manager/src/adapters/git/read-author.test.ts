import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SourceControl } from '../../ports/source-control.js'
import { TestRepository, temporaryFolder, type TemporaryFolder } from './git-repository.test-support.js'
import { parseAuthor } from './git-parsers.js'
import { createGitSourceControl } from './git-source-control.js'

const { signal } = new AbortController()
let folder: TemporaryFolder
let shop: TestRepository
let git: SourceControl

beforeEach(async () => {
  folder = await temporaryFolder()
  shop = await TestRepository.create(join(folder.path, 'shop'))
  git = createGitSourceControl({ dataDirectory: join(folder.path, 'data'), host: process.env })
})
afterEach(() => folder[Symbol.asyncDispose]())

/** Commits as somebody, and reads who it was. */
async function authorOf(author: string, ...more: string[]): Promise<unknown> {
  await shop.git(...more, 'commit', '--quiet', '--allow-empty', `--author=${author}`, '-m', 'change')
  const commitSha = await shop.git('rev-parse', 'HEAD')
  await git.ensureCommit(shop.ref, commitSha, { signal })
  return git.readAuthor(shop.ref, commitSha)
}

describe('the author of a commit', () => {
  test('is who wrote it, not who committed it, with when it was committed', async () => {
    const committedAt = expect.closeTo(Date.now(), -5)
    expect(await authorOf('Ann Lee <ann@example.org>')).toEqual({
      name: 'Ann Lee',
      email: 'ann@example.org',
      committedAt,
    })
  })

  test('is read as text whatever it says, and in UTF-8 whatever it was written in', async () => {
    expect(await authorOf('$(touch pwned) %an --x <a@b>')).toMatchObject({ name: '$(touch pwned) %an --x' })
    expect(await authorOf('Jürgen <j@example.org>', '-c', 'i18n.commitEncoding=ISO-8859-1')).toMatchObject({
      email: 'j@example.org',
    })
  })

  test('of a commit that is not there is an error, and what is no commit id is never asked for', async () => {
    await authorOf('Ann <ann@example.org>')
    await expect(git.readAuthor(shop.ref, '0123456789'.repeat(4))).rejects.toThrow('author of')
    await expect(git.readAuthor(shop.ref, '--all')).rejects.toMatchObject({ code: 'GIT_PATH_INVALID' })
  })

  test.each(['', 'Ann\0ann@example.org', 'Ann\0a@b\0soon\n', 'a\0b\x001\x002\n'])(
    'cannot be read from an answer that makes no sense: %j',
    (answer) => {
      expect(() => parseAuthor(Buffer.from(answer), 'shop')).toThrow(/makes no sense/)
    },
  )
})
