import { randomBytes } from 'node:crypto'
import { parseContextKeys, type ContextKeys } from '@tributary/contract/context-token'
import { systemClock, type Clock } from '@tributary/kit'
import type { DiagnosticListener } from './diagnostics.js'
import { sdkError } from './errors.js'
import { fixedToken, isTokenText, TokenFile, type BearerToken } from './http/bearer-token.js'
import { DEFAULT_TIMING, type ReconnectTiming } from './stream/reconnect-policy.js'
import { isInstanceId, isServiceName, isTenantName } from './wire/wire-guards.js'

/** Settings of {@link connect}. What is left out is read from the environment variable that is named. */
export interface ConnectOptions {
  /** The config center, `http://…` or `https://…`. `TRIBUTARY_URL`. */
  readonly url?: string
  /** The tenant whose view is read. `TRIBUTARY_TENANT`. */
  readonly tenant?: string
  /** The bearer token. `TRIBUTARY_TOKEN`. */
  readonly token?: string
  /**
   * A file that holds the token instead, and may change at any time: each request takes what is there then. For a pod's projected ServiceAccount
   * token. A token given as such beats it. `TRIBUTARY_TOKEN_FILE`.
   */
  readonly tokenFile?: string
  /** This service: its config document is read, and it is what `register()` registers. None: the tenant-wide document. `TRIBUTARY_SERVICE`. */
  readonly service?: string
  /** Names this process among subscribers and registered instances. Default: random. `TRIBUTARY_INSTANCE`. */
  readonly instance?: string
  /** Folder of the disk snapshot. None: no snapshot is kept. `TRIBUTARY_SNAPSHOT_DIR`. */
  readonly snapshotDir?: string
  /**
   * Keys that sign the routing context for capsules and callback URLs, newest first, with commas between; each is 32 bytes in base64url. All
   * processes of one tree need the same. None: they cannot be made or read. `TRIBUTARY_CONTEXT_KEY`.
   */
  readonly contextKey?: string
  /**
   * Where the baseline's services are reached from outside, with `{service}` in the place of the service's name:
   * `https://shop.example/{service}/`. None: no callback URLs. `TRIBUTARY_PUBLIC_URL`.
   */
  readonly publicUrl?: string
  /** Services that the self-check reaches out to. Default: those that were resolved so far. */
  readonly dependsOn?: readonly string[]
  /** How long `connect` waits for a live view when there is no snapshot. Default 10,000. */
  readonly readyTimeoutMs?: number
  /** `ready`: `connect` rejects with `SDK_NOT_READY` instead of giving a client that is not READY. Default `nothing`. */
  readonly require?: 'ready' | 'nothing'
  /** Changes are on disk this long after they came. Default 1,000. */
  readonly snapshotDelayMs?: number
  /** A change handler that has not settled after this refuses its value. Default 10,000. */
  readonly handlerTimeoutMs?: number
  /** Whether calls to services of the system, and lost routing contexts, are counted and reported. Default `report`; needs a service. */
  readonly observeCalls?: 'report' | 'off'
  /** Reports of calls are at least this far apart. Default 5,000. */
  readonly callReportMs?: number
  /** Delays of reconnecting. */
  readonly timing?: Partial<ReconnectTiming>
  /** Receives what the SDK noticed and went on in spite of. By default nobody does; the SDK never writes to the console. */
  readonly onDiagnostic?: DiagnosticListener
  /** Where the variables are read. Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Time, for tests. */
  readonly clock?: Clock
  /** Uniform in [0, 1), for tests. */
  readonly random?: () => number
}

/** Complete settings. */
export interface Settings {
  readonly url: URL
  readonly tenant: string
  readonly token: BearerToken
  readonly service: string | undefined
  readonly instance: string
  readonly snapshotDir: string | undefined
  readonly contextKeys: ContextKeys | undefined
  readonly publicUrl: string | undefined
  readonly dependsOn: readonly string[] | undefined
  readonly readyTimeoutMs: number
  readonly requireReady: boolean
  readonly snapshotDelayMs: number
  readonly handlerTimeoutMs: number
  readonly observeCalls: boolean
  readonly callReportMs: number
  readonly timing: ReconnectTiming
  readonly onDiagnostic: DiagnosticListener | undefined
  readonly clock: Clock
  readonly random: () => number
}

/**
 * Completes the options from the environment.
 * @throws AppError `SDK_OPTIONS_INVALID`: lists everything that is missing or wrong.
 */
export function completeOptions(options: ConnectOptions): Settings {
  const env = options.env ?? process.env
  const problems: string[] = []
  const read: Read = (value, variable) => {
    const found = value ?? env[variable]
    return found === undefined || found === '' ? undefined : found
  }
  const settings: Settings = {
    url: readUrl(read(options.url, 'TRIBUTARY_URL'), problems),
    tenant: readTenant(read(options.tenant, 'TRIBUTARY_TENANT'), problems),
    token: readToken(options, read, problems),
    service: readService(read(options.service, 'TRIBUTARY_SERVICE'), problems),
    instance: readInstance(read(options.instance, 'TRIBUTARY_INSTANCE'), problems),
    snapshotDir: read(options.snapshotDir, 'TRIBUTARY_SNAPSHOT_DIR'),
    contextKeys: readContextKeys(read(options.contextKey, 'TRIBUTARY_CONTEXT_KEY'), problems),
    publicUrl: readPublicUrl(read(options.publicUrl, 'TRIBUTARY_PUBLIC_URL'), problems),
    dependsOn: options.dependsOn,
    onDiagnostic: options.onDiagnostic,
    ...readTimes(options),
  }
  if (problems.length === 0) return settings
  throw sdkError('SDK_OPTIONS_INVALID', `cannot connect to the config center: ${problems.join('; ')}`, {
    details: { problems },
  })
}

type Times = Pick<
  Settings,
  | 'readyTimeoutMs'
  | 'requireReady'
  | 'snapshotDelayMs'
  | 'handlerTimeoutMs'
  | 'timing'
  | 'clock'
  | 'random'
  | 'observeCalls'
  | 'callReportMs'
>

function readTimes(options: ConnectOptions): Times {
  return {
    readyTimeoutMs: options.readyTimeoutMs ?? 10_000,
    requireReady: options.require === 'ready',
    snapshotDelayMs: options.snapshotDelayMs ?? 1_000,
    handlerTimeoutMs: options.handlerTimeoutMs ?? 10_000,
    observeCalls: options.observeCalls !== 'off',
    callReportMs: options.callReportMs ?? 5_000,
    timing: { ...DEFAULT_TIMING, ...options.timing },
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  }
}

function readUrl(text: string | undefined, problems: string[]): URL {
  const url = text === undefined || !URL.canParse(text) ? undefined : new URL(text)
  if (text === undefined) problems.push('the URL is missing: set TRIBUTARY_URL or options.url')
  else if (url === undefined) problems.push('the URL (TRIBUTARY_URL) cannot be read: write http://host:port')
  else if (url.protocol !== 'http:' && url.protocol !== 'https:')
    problems.push('the URL must begin with http:// or https://')
  else if (url.username !== '' || url.password !== '')
    problems.push('the URL must not hold credentials: use TRIBUTARY_TOKEN')
  else if (url.search !== '' || url.hash !== '') problems.push('the URL must not have a query or fragment')
  else return url
  return new URL('http://invalid.invalid')
}

function readTenant(tenant: string | undefined, problems: string[]): string {
  if (tenant === undefined) problems.push('the tenant is missing: set TRIBUTARY_TENANT or options.tenant')
  else if (!isTenantName(tenant))
    problems.push('the tenant (TRIBUTARY_TENANT) must be a DNS-1123 label of at most 40 characters')
  return tenant ?? ''
}

/** What is given, or what the variable says; undefined when both are absent or empty. */
type Read = (value: string | undefined, variable: string) => string | undefined

/** The options go before the environment, and a token before a file. */
function readToken(options: ConnectOptions, read: Read, problems: string[]): BearerToken {
  const given = read(options.token, options.tokenFile === undefined ? 'TRIBUTARY_TOKEN' : '')
  const path = given === undefined ? read(options.tokenFile, 'TRIBUTARY_TOKEN_FILE') : undefined
  if (path !== undefined) return readTokenFile(path, problems)
  if (given === undefined)
    problems.push('the token is missing: set TRIBUTARY_TOKEN, TRIBUTARY_TOKEN_FILE, options.token or options.tokenFile')
  // The token itself is never shown.
  else if (!isTokenText(given)) problems.push('the token (TRIBUTARY_TOKEN) has characters that no token has')
  return fixedToken(given ?? '')
}

function readTokenFile(path: string, problems: string[]): BearerToken {
  const file = new TokenFile(path)
  const problem = file.refresh()
  if (problem !== undefined) problems.push(`the token file (TRIBUTARY_TOKEN_FILE) ${path} ${problem}`)
  return file
}

function readService(service: string | undefined, problems: string[]): string | undefined {
  if (service !== undefined && !isServiceName(service)) {
    problems.push('the service (TRIBUTARY_SERVICE) must be a DNS-1123 label of at most 63 characters')
  }
  return service
}

function readContextKeys(text: string | undefined, problems: string[]): ContextKeys | undefined {
  if (text === undefined) return undefined
  const keys = parseContextKeys(text)
  // The value is a secret: it is not repeated.
  if (keys === undefined)
    problems.push(
      'the context key (TRIBUTARY_CONTEXT_KEY) must be 32 bytes in base64url, or several with commas between',
    )
  return keys
}

function readPublicUrl(text: string | undefined, problems: string[]): string | undefined {
  if (text === undefined) return undefined
  const example = text.replaceAll('{service}', 'service')
  const url = URL.canParse(example) ? new URL(example) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '')
    problems.push(
      'the public URL (TRIBUTARY_PUBLIC_URL) must be like https://host/{service}/, without query and fragment',
    )
  return text
}

function readInstance(instance: string | undefined, problems: string[]): string {
  if (instance === undefined) return `sdk-${process.pid}-${randomBytes(6).toString('hex')}`
  if (!isInstanceId(instance))
    problems.push('the instance (TRIBUTARY_INSTANCE) must be 1 to 63 letters, digits, dots, dashes')
  return instance
}
