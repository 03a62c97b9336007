import { isAbsolute, resolve } from 'node:path'
import { failure } from '../../errors.js'

/** Transports that git may use here. `ext::` runs a command and is never allowed; neither is any remote helper. */
export const ALLOWED_PROTOCOLS = ['file', 'git', 'http', 'https', 'ssh'] as const

/** A repository's URL as git gets it, apart from what it must not see on its command line. */
export interface GitUrl {
  /** Without credentials: may stand in process arguments. */
  readonly url: string
  /** `Authorization` header for http(s) URLs that held credentials. Given to git in its environment only. Secret. */
  readonly authorization: string | undefined
}

const CONTROL_CHARACTERS = /\p{Cc}/u
const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i

/**
 * Checks a configured URL and takes its credentials out. Local paths are made absolute.
 * @throws AppError `GIT_URL_INVALID`: a leading `-`, a transport that is not in {@link ALLOWED_PROTOCOLS}, control characters.
 */
export function parseGitUrl(text: string): GitUrl {
  if (text === '' || text.startsWith('-') || CONTROL_CHARACTERS.test(text)) throw invalidUrl(text, 'it is not a URL')
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase()
  if (scheme !== undefined) return parseUrlWithScheme(text, scheme)
  if (/^[^/]*::/.test(text)) throw invalidUrl(text, 'remote helpers such as ext:: are not allowed')
  if (isScpLike(text)) return parseScpLike(text)
  return { url: isAbsolute(text) ? text : resolve(text), authorization: undefined }
}

function parseUrlWithScheme(text: string, scheme: string): GitUrl {
  if (!ALLOWED_PROTOCOLS.some((allowed) => allowed === scheme)) {
    throw invalidUrl(text, `use one of ${ALLOWED_PROTOCOLS.join(', ')}`)
  }
  if (scheme === 'file') return { url: text, authorization: undefined }
  if (!URL.canParse(text)) throw invalidUrl(text, 'it cannot be parsed')
  const url = new URL(text)
  if (url.hostname.startsWith('-') || url.hostname === '') throw invalidUrl(text, 'it has no valid host')
  if (scheme === 'ssh' || scheme === 'git') return parseUserOnly(text, url)
  const authorization = basicAuthorization(url)
  url.username = ''
  url.password = ''
  return { url: url.href, authorization }
}

function parseUserOnly(text: string, url: URL): GitUrl {
  if (url.password !== '') throw invalidUrl(text, 'ssh takes keys, not passwords')
  if (decodeURIComponent(url.username).startsWith('-')) throw invalidUrl(text, 'its user is not valid')
  return { url: text, authorization: undefined }
}

function basicAuthorization(url: URL): string | undefined {
  if (url.username === '' && url.password === '') return undefined
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  return `Basic ${Buffer.from(credentials).toString('base64')}`
}

function isScpLike(text: string): boolean {
  const colon = text.indexOf(':')
  return colon > 0 && !text.slice(0, colon).includes('/')
}

function parseScpLike(text: string): GitUrl {
  const host = text.slice(0, text.indexOf(':')).split('@').at(-1) ?? ''
  if (host === '' || host.startsWith('-')) throw invalidUrl(text, 'it has no valid host')
  return { url: text, authorization: undefined }
}

function invalidUrl(text: string, why: string): Error {
  return failure('GIT_URL_INVALID', `the repository URL ${JSON.stringify(redactUrls(text))} is refused: ${why}`)
}

/** Replaces user names, passwords and query strings of all URLs in a text, so that it may be logged or answered. */
export function redactUrls(text: string): string {
  return text
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^\s'"]*@/gi, '$1***@')
    .replaceAll(/(https?:\/\/[^\s'"?]*)\?[^\s'"]*/gi, '$1?***')
}
