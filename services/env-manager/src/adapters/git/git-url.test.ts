import { describe, expect, test } from 'vitest'
import { isAppError } from '@tributary/kit'
import { parseGitUrl, redactUrls } from './git-url.js'

function codeOf(work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return isAppError(error) ? error.code : String(error)
  }
}

describe('parseGitUrl', () => {
  test.each([
    '',
    '-oProxyCommand=touch pwned',
    '--upload-pack=touch pwned',
    'ext::sh -c touch% pwned',
    'EXT::sh -c id',
    'fd::17',
    'transport::address',
    'ftp://example.com/x.git',
    'ssh://-oProxyCommand=id/x',
    'ssh://user:password@example.com/x',
    '-host:path',
    'user@-oProxyCommand=id:path',
    'https://example.com/x\ny',
    'https://',
  ])('refuses %j', (url) => {
    expect(codeOf(() => parseGitUrl(url))).toBe('GIT_URL_INVALID')
  })

  test.each([
    'https://example.com/team/shop.git',
    'ssh://git@example.com:2222/team/shop.git',
    'git@example.com:team/shop.git',
    'file:///srv/git/shop.git',
    '/srv/git/shop.git',
  ])('takes %j as it is', (url) => {
    expect(parseGitUrl(url)).toEqual({ url, authorization: undefined })
  })

  test('takes credentials out of an https URL', () => {
    const parsed = parseGitUrl('https://bot:s3cr%40t@example.com/shop.git')
    expect(parsed.url).toBe('https://example.com/shop.git')
    expect(parsed.authorization).toBe(`Basic ${Buffer.from('bot:s3cr@t').toString('base64')}`)
  })

  test('makes a relative path absolute', () => {
    expect(parseGitUrl('../shop').url).toMatch(/^\/.*\/shop$/)
  })

  test('does not repeat the credentials of a URL that it refuses', () => {
    const attempt = (): unknown => parseGitUrl('ftp://bot:hunter2@example.com/x')
    expect(attempt).toThrow(/\*\*\*@example\.com/)
    expect(attempt).not.toThrow(/hunter2/)
  })
})

describe('redactUrls', () => {
  test('hides users, passwords and query strings of every URL in a text', () => {
    const text = "fatal: 'https://u:p%40ss@host/x?private_token=abc' and ssh://key@h/y, not git@host:z"
    expect(redactUrls(text)).toBe("fatal: 'https://***@host/x?***' and ssh://***@h/y, not git@host:z")
  })

  test('hides a password that has an @ or a / in it', () => {
    expect(redactUrls('https://u:p@s/s@host/x')).toBe('https://***@host/x')
  })
})
