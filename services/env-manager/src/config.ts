import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseContextKeys } from '@tributary/contract/context-token'
import { readStoreChoice, type StoreChoice } from '@tributary/store'
import { parsePlatformConfig, type PlatformConfig } from './domain/platform-config.js'
import { formatProblem } from './domain/problem.js'
import { failure } from './errors.js'

/** The platform configuration's usual name. */
export const PLATFORM_CONFIG_FILE = 'tributary.config.yaml'

/** Process environment, as Node gives it. */
export type ProcessEnvironment = Readonly<Record<string, string | undefined>>

/** The platform configuration, and the values of the secrets that it names. */
export interface LoadedPlatformConfig {
  readonly config: PlatformConfig
  readonly offeredSecrets: Readonly<Record<string, string>>
  /** Of `signIn.oidc`; absent: a public client, or no provider. */
  readonly oidcClientSecret?: string
}

/** Where the config center is, and who we are there. */
export interface ConfigCenterAccess {
  readonly url: string
  /** A token, or what reads it from {@link tokenFile} for each call. */
  readonly token: string | (() => string)
  readonly tokenFile?: string
}

/** How the standalone process runs. */
export interface EnvManagerConfig extends LoadedPlatformConfig {
  readonly host: string
  readonly port: number
  /** Port on which gateways report and can do nothing else. Absent: they use the API’s. */
  readonly reportPort?: number
  readonly dataDirectory: string
  readonly store: StoreChoice
  readonly configCenter: ConfigCenterAccess
  /** Keys that sign routing contexts, instead of one that is made and kept in the store. */
  readonly contextKey?: string
  /** Where clients reach this process when it leads, for standbys to tell them; absent: they do not. */
  readonly advertisedUrl?: string
  readonly logLevel: string
}

/**
 * Reads `tributary.config.yaml`, and the variables that it names for secrets.
 * @throws AppError `CONFIG_INVALID` with every problem at once, each as `file:line:column: what`.
 */
export function loadPlatformConfig(file: string, env: ProcessEnvironment = process.env): LoadedPlatformConfig {
  const parsed = parsePlatformConfig(file, readText(file))
  if ('problems' in parsed) throw invalid(parsed.problems.map(formatProblem))
  const secrets = Object.entries(parsed.config.secrets)
  const oidcVariable = parsed.config.signIn.oidc?.clientSecretVariable ?? null
  const needed = [
    ...secrets.map(([name, variable]) => ({ what: `secret "${name}"`, variable })),
    ...(oidcVariable === null ? [] : [{ what: 'signIn.oidc.clientSecret', variable: oidcVariable }]),
  ]
  const missing = needed.filter(({ variable }) => env[variable] === undefined)
  if (missing.length > 0) {
    throw invalid(missing.map(({ what, variable }) => `${file}: ${what} needs the variable ${variable}; set it`))
  }
  const offeredSecrets = Object.fromEntries(secrets.map(([name, variable]) => [name, env[variable] ?? '']))
  const oidcClientSecret = oidcVariable === null ? undefined : env[oidcVariable]
  return { config: parsed.config, offeredSecrets, ...(oidcClientSecret === undefined ? {} : { oidcClientSecret }) }
}

/**
 * Reads everything that the standalone process needs. Nothing else reads the process environment.
 *
 * | variable | default | meaning |
 * | --- | --- | --- |
 * | `TRIBUTARY_CONFIG` | `tributary.config.yaml` | the platform configuration |
 * | `TRIBUTARY_HOST` | `127.0.0.1` | address to listen on |
 * | `TRIBUTARY_PORT` | `7401` | port to listen on; 0 takes a free one |
 * | `TRIBUTARY_REPORT_PORT` | none | port on which gateways report requests and can do nothing else; 0 takes a free one |
 * | `TRIBUTARY_DATA_DIR` | `.tributary/env-manager` | store, run logs, checkouts |
 * | `TRIBUTARY_URL` | `http://127.0.0.1:7400` | the config center |
 * | `TRIBUTARY_TOKEN` or `TRIBUTARY_TOKEN_FILE` | none | a deployer's token for it; the file is read for each call |
 * | `TRIBUTARY_CONTEXT_KEY_FILE` | none | keys that sign routing contexts; without it one is made and kept in the store |
 * | `TRIBUTARY_ADVERTISED_URL` | none | where clients reach this process when it leads; standbys name it in `NOT_LEADER`, to anybody |
 * | `TRIBUTARY_LOG_LEVEL` | `info` | silent, fatal, error, warn, info, debug, trace |
 *
 * The store: see `readStoreChoice` of `@tributary/store`.
 *
 * @throws AppError `CONFIG_INVALID` with everything that is wrong at once.
 */
export function readConfig(env: ProcessEnvironment = process.env): EnvManagerConfig {
  const problems: string[] = []
  const collect = <T>(read: () => T, otherwise: T): T => {
    try {
      return read()
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error))
      return otherwise
    }
  }
  const nothing: LoadedPlatformConfig | undefined = undefined
  const platform = collect<LoadedPlatformConfig | undefined>(
    () => loadPlatformConfig(env.TRIBUTARY_CONFIG ?? PLATFORM_CONFIG_FILE, env),
    nothing,
  )
  const port = collect(() => readPort('TRIBUTARY_PORT', env.TRIBUTARY_PORT ?? '7401'), 0)
  const reports = env.TRIBUTARY_REPORT_PORT
  const reportPort = collect(
    () => (reports === undefined ? undefined : readPort('TRIBUTARY_REPORT_PORT', reports)),
    undefined,
  )
  const url = collect(() => readUrl(env.TRIBUTARY_URL ?? 'http://127.0.0.1:7400'), '')
  const access = collect(() => readAccess(env), { token: '' })
  const contextKey = collect(() => readContextKey(env.TRIBUTARY_CONTEXT_KEY_FILE), undefined)
  const advertisedUrl = collect(() => readAdvertisedUrl(env.TRIBUTARY_ADVERTISED_URL), undefined)
  const logLevel = collect(() => readLogLevel(env.TRIBUTARY_LOG_LEVEL ?? 'info'), 'info')
  const store = readStoreChoice(env, problems)
  if (platform === undefined || problems.length > 0) throw invalid(problems)
  const dataDirectory = resolve(env.TRIBUTARY_DATA_DIR ?? join('.tributary', 'env-manager'))
  const host = env.TRIBUTARY_HOST ?? '127.0.0.1'
  const optional = {
    ...(reportPort === undefined ? {} : { reportPort }),
    ...(contextKey === undefined ? {} : { contextKey }),
    ...(advertisedUrl === undefined ? {} : { advertisedUrl }),
  }
  return { ...platform, host, port, dataDirectory, store, configCenter: { url, ...access }, logLevel, ...optional }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw failure('CONFIG_INVALID', `${file} cannot be read; write one, or name it with TRIBUTARY_CONFIG`, { cause })
  }
}

function readPort(name: string, text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw new RangeError(`${name} is ${JSON.stringify(text)}, not a port from 0 to 65535`)
}

function readUrl(text: string): string {
  if (/^https?:\/\/[^\s]+$/.test(text) && URL.canParse(text)) return text
  throw new RangeError('TRIBUTARY_URL is not an http address of the config center')
}

function readAdvertisedUrl(text: string | undefined): string | undefined {
  if (text === undefined || (/^https?:\/\/[^/?#@\s]+$/.test(text) && URL.canParse(text))) return text
  throw new RangeError(
    'TRIBUTARY_ADVERTISED_URL is not an address like https://tributary.example, without user and path',
  )
}

function readAccess({
  TRIBUTARY_TOKEN: token = '',
  TRIBUTARY_TOKEN_FILE: tokenFile,
}: ProcessEnvironment): Omit<ConfigCenterAccess, 'url'> {
  if (token.trim() !== '') return { token: token.trim() }
  if (tokenFile === undefined) {
    throw new RangeError('a deployer’s token is needed: set TRIBUTARY_TOKEN or TRIBUTARY_TOKEN_FILE')
  }
  const read = (): string => readSecret('TRIBUTARY_TOKEN_FILE', tokenFile)
  read()
  return { token: read, tokenFile }
}

function readContextKey(file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  const text = readSecret('TRIBUTARY_CONTEXT_KEY_FILE', file)
  if (parseContextKeys(text) !== undefined) return text
  throw new RangeError(`TRIBUTARY_CONTEXT_KEY_FILE: ${file} holds no key of 32 bytes in base64url`)
}

function readSecret(variable: string, file: string): string {
  let text = ''
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch {
    throw new RangeError(`${variable}: ${file} cannot be read`)
  }
  if (text !== '') return text
  throw new RangeError(`${variable}: ${file} is empty`)
}

function readLogLevel(text: string): string {
  if (['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'].includes(text)) return text
  throw new RangeError(`TRIBUTARY_LOG_LEVEL is ${JSON.stringify(text)}, not a level of the log`)
}

function invalid(problems: readonly string[]): Error {
  return failure('CONFIG_INVALID', problems.join('\n'), { details: { problems } })
}
