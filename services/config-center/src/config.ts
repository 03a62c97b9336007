import { join, resolve } from 'node:path'
import { readStoreChoice, type StoreChoice } from '@tributary/store'
import type { HistoryLimits } from './domain/history-floor.js'
import { failure } from './errors.js'
import { readIdentityConfig, type IdentityConfig } from './identity-config.js'
import { DEFAULT_HISTORY_LIMITS } from './operations/history-retention.js'

/** Levels of the log, least to most. */
export const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Where the standalone server listens and keeps its data. */
export interface ConfigCenterConfig {
  readonly host: string
  readonly port: number
  readonly store: StoreChoice
  /** Where other replicas reach this one; absent: at the address that it listens on. */
  readonly advertisedUrl?: string
  /** Folder of the embedded store's file. */
  readonly dataDir: string
  /** Where the admin token is written at the first start. */
  readonly adminTokenFile: string
  /** A file with an admin token that somebody else wrote; then none is made. */
  readonly givenAdminTokenFile?: string
  /** How much history is kept of each tenant. */
  readonly historyLimits: HistoryLimits
  readonly logLevel: LogLevel
  /** How workloads are identified; absent: they are not. */
  readonly identity?: IdentityConfig
}

const DAY_MS = 86_400_000

/** Process environment, as Node gives it. */
export type ProcessEnvironment = Readonly<Record<string, string | undefined>>

/**
 * Reads the configuration from the process environment. Nothing else does.
 *
 * | variable | default | meaning |
 * | --- | --- | --- |
 * | `TRIBUTARY_HOST` | `127.0.0.1` | address to listen on |
 * | `TRIBUTARY_PORT` | `7400` | port to listen on; 0 takes a free one |
 * | `TRIBUTARY_DATA_DIR` | `.tributary/config-center` | folder of the store's file |
 * | `TRIBUTARY_ADMIN_TOKEN_FILE` | `<data>/admin.token` | the admin token, mode 0600 |
 * | `TRIBUTARY_GIVEN_ADMIN_TOKEN_FILE` | none | an admin token to take over instead of making one; the file is only read |
 * | `TRIBUTARY_HISTORY_MAX_RECORDS` | `10000` | history records that are kept of each tenant |
 * | `TRIBUTARY_HISTORY_MAX_DAYS` | `400` | older ones are forgotten |
 * | `TRIBUTARY_LOG_LEVEL` | `info` | silent, fatal, error, warn, info, debug, trace |
 * | `TRIBUTARY_ADVERTISED_URL` | the address listened on | where other replicas reach this one; needed when that is every address |
 *
 * The store, and the key that encrypts it: see `readStoreChoice` of `@tributary/store`. Workloads: see {@link readIdentityConfig}.
 *
 * @throws AppError `CONFIG_INVALID` with everything that is wrong at once.
 */
export function readConfig(env: ProcessEnvironment = process.env): ConfigCenterConfig {
  const problems: string[] = []
  const dataDir = resolve(env.TRIBUTARY_DATA_DIR ?? join('.tributary', 'config-center'))
  const host = env.TRIBUTARY_HOST ?? '127.0.0.1'
  const store = readStoreChoice(env, problems)
  const identity = readIdentityConfig(env, problems)
  const given = env.TRIBUTARY_GIVEN_ADMIN_TOKEN_FILE
  const advertisedUrl = readAdvertisedUrl(env.TRIBUTARY_ADVERTISED_URL, { host, store }, problems)
  const config = {
    host,
    store,
    ...(advertisedUrl === undefined ? {} : { advertisedUrl }),
    ...(identity === undefined ? {} : { identity }),
    ...(given === undefined ? {} : { givenAdminTokenFile: resolve(given) }),
    port: readPort(env.TRIBUTARY_PORT ?? '7400', problems),
    dataDir,
    adminTokenFile: resolve(env.TRIBUTARY_ADMIN_TOKEN_FILE ?? join(dataDir, 'admin.token')),
    historyLimits: readHistoryLimits(env, problems),
    logLevel: readLogLevel(env.TRIBUTARY_LOG_LEVEL ?? 'info', problems),
  }
  if (config.host === '') problems.push('TRIBUTARY_HOST is empty; leave it out to listen on 127.0.0.1')
  if (problems.length === 0) return config
  throw failure('CONFIG_INVALID', `The config center cannot start: ${problems.join('; ')}.`, { details: { problems } })
}

function readHistoryLimits(env: ProcessEnvironment, problems: string[]): HistoryLimits {
  const maxRecords = readCount('TRIBUTARY_HISTORY_MAX_RECORDS', env, problems)
  const maxDays = readCount('TRIBUTARY_HISTORY_MAX_DAYS', env, problems)
  return {
    maxRecords: maxRecords ?? DEFAULT_HISTORY_LIMITS.maxRecords,
    maxAgeMs: maxDays === undefined ? DEFAULT_HISTORY_LIMITS.maxAgeMs : maxDays * DAY_MS,
  }
}

function readCount(name: string, env: ProcessEnvironment, problems: string[]): number | undefined {
  const text = env[name]
  if (text === undefined || /^[1-9][0-9]{0,6}$/.test(text)) return text === undefined ? undefined : Number(text)
  problems.push(`${name} is ${JSON.stringify(text)}, not a whole number from 1 to 9999999`)
  return undefined
}

function readPort(text: string, problems: string[]): number {
  const port = Number(text)
  if (/^[0-9]{1,5}$/.test(text) && port <= 65_535) return port
  problems.push(`TRIBUTARY_PORT is ${JSON.stringify(text)}, not a port from 0 to 65535`)
  return 0
}

function readAdvertisedUrl(
  text: string | undefined,
  { host, store }: Pick<ConfigCenterConfig, 'host' | 'store'>,
  problems: string[],
): string | undefined {
  if (text === undefined) {
    const isEveryAddress = ['0.0.0.0', '::', '[::]'].includes(host)
    if (store.kind === 'etcd' && isEveryAddress) {
      problems.push(
        `TRIBUTARY_ADVERTISED_URL is missing: other replicas cannot call ${host}; name this replica's own address`,
      )
    }
    return undefined
  }
  if (/^https?:\/\/[^/?#@\s]+$/.test(text) && URL.canParse(text)) return text
  problems.push('TRIBUTARY_ADVERTISED_URL is not an address like http://10.0.0.1:7400, without user and path')
  return undefined
}

function readLogLevel(text: string, problems: string[]): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text)
  if (level !== undefined) return level
  problems.push(`TRIBUTARY_LOG_LEVEL is ${JSON.stringify(text)}, not one of ${LOG_LEVELS.join(', ')}`)
  return 'info'
}
