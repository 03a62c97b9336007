import { readFileSync } from 'node:fs'
import { INTEGRATION_TENANT } from '@tributary/contract'
import { parseContextKeys, type ContextKeys } from '@tributary/contract/context-token'
import { parseSite, type GatewaySite } from '../adapters/gateway/index.js'
import { failure } from '../errors.js'

/** Process environment, as Node gives it. */
type ProcessEnvironment = Readonly<Record<string, string | undefined>>

/** How the gateway runs as a process of its own. */
export interface GatewayConfig {
  readonly host: string
  readonly port: number
  /** Of health and metrics; on all previews' port their paths would be taken. */
  readonly healthPort: number
  readonly site: GatewaySite
  /** The root whose tree is served. */
  readonly tenant: string
  /** Where requests are reported. Absent: nowhere, so that no environment falls asleep or wakes by them. */
  readonly reportUrl?: string
  /** Absent: callback URLs are ordinary paths. */
  readonly contextKeys?: ContextKeys
  /** Between the signal to stop and the end of new connections, milliseconds: until then balancers still send some. */
  readonly drainDelayMs: number
  /** How long requests may take to finish after that, milliseconds. */
  readonly drainGraceMs: number
  readonly logLevel: string
  /** What the SDK reads: `TRIBUTARY_URL`, `TRIBUTARY_TOKEN`, `TRIBUTARY_TOKEN_FILE`, `TRIBUTARY_SNAPSHOT_DIR`. */
  readonly env: ProcessEnvironment
}

const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']
const SECOND_MS = 1_000

/**
 * Reads the configuration of the gateway's own process. Nothing else there reads the process environment, but the SDK what is its own.
 *
 * | variable | default | meaning |
 * | --- | --- | --- |
 * | `TRIBUTARY_PREVIEW_URL` | none | how the outside reaches environments: `https://{environment}.preview.example.com` |
 * | `TRIBUTARY_HOST` | `127.0.0.1` | address to listen on |
 * | `TRIBUTARY_PORT` | `7480` | port of the previews; 0 takes a free one |
 * | `TRIBUTARY_HEALTH_PORT` | `7481` | port of `/healthz`, `/readyz` and `/metrics`; 0 takes a free one |
 * | `TRIBUTARY_TENANT` | `integration` | the root whose tree is served |
 * | `TRIBUTARY_URL` | none | the config center |
 * | `TRIBUTARY_TOKEN` or `TRIBUTARY_TOKEN_FILE` | none | a viewer's token for it |
 * | `TRIBUTARY_REPORT_URL` | none | the env-manager, which hears by it which environments are used; without it none falls asleep or wakes by requests |
 * | `TRIBUTARY_SNAPSHOT_DIR` | none | folder that lets a restart serve while the config center is down |
 * | `TRIBUTARY_CONTEXT_KEY_FILE` | none | file with the keys of callback URLs; without it they are ordinary paths |
 * | `TRIBUTARY_DRAIN_DELAY_SECONDS` | `5` | after SIGTERM, how long new connections are still taken |
 * | `TRIBUTARY_DRAIN_GRACE_SECONDS` | `20` | how long requests may take to finish after that |
 * | `TRIBUTARY_LOG_LEVEL` | `info` | silent, fatal, error, warn, info, debug, trace |
 *
 * @throws AppError `CONFIG_INVALID` with everything that is wrong at once.
 */
export function readGatewayConfig(env: ProcessEnvironment = process.env): GatewayConfig {
  const problems: string[] = []
  const number = (name: string, most: number, otherwise: number): number =>
    readNumber({ name, text: env[name] ?? String(otherwise), most }, problems)
  const reportUrl = readReportUrl(env.TRIBUTARY_REPORT_URL, problems)
  const contextKeys = readKeys(env.TRIBUTARY_CONTEXT_KEY_FILE, problems)
  const config: GatewayConfig = {
    host: env.TRIBUTARY_HOST ?? '127.0.0.1',
    port: number('TRIBUTARY_PORT', 65_535, 7480),
    healthPort: number('TRIBUTARY_HEALTH_PORT', 65_535, 7481),
    site: readSite(env.TRIBUTARY_PREVIEW_URL, problems),
    tenant: env.TRIBUTARY_TENANT ?? INTEGRATION_TENANT,
    ...(reportUrl === undefined ? {} : { reportUrl }),
    ...(contextKeys === undefined ? {} : { contextKeys }),
    drainDelayMs: number('TRIBUTARY_DRAIN_DELAY_SECONDS', 300, 5) * SECOND_MS,
    drainGraceMs: number('TRIBUTARY_DRAIN_GRACE_SECONDS', 3_600, 20) * SECOND_MS,
    logLevel: env.TRIBUTARY_LOG_LEVEL ?? 'info',
    env,
  }
  if (!LOG_LEVELS.includes(config.logLevel)) problems.push(`TRIBUTARY_LOG_LEVEL is not one of ${LOG_LEVELS.join(', ')}`)
  if (problems.length === 0) return config
  throw failure('CONFIG_INVALID', `The gateway cannot start: ${problems.join('; ')}.`, { details: { problems } })
}

function readSite(text: string | undefined, problems: string[]): GatewaySite {
  const site = parseSite(text ?? '')
  if (site !== undefined) return site
  problems.push('TRIBUTARY_PREVIEW_URL must be like https://{environment}.preview.example.com')
  return { scheme: 'http', domain: 'invalid', originOf: () => '' }
}

function readReportUrl(text: string | undefined, problems: string[]): string | undefined {
  if (text === undefined || (/^https?:\/\/\S+$/.test(text) && URL.canParse(text))) return text
  problems.push('TRIBUTARY_REPORT_URL is not an http address of the env-manager')
  return undefined
}

function readNumber(
  { name, text, most }: { readonly name: string; readonly text: string; readonly most: number },
  problems: string[],
): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= most) return Number(text)
  problems.push(`${name} is ${JSON.stringify(text)}, not a whole number from 0 to ${most}`)
  return 0
}

function readKeys(file: string | undefined, problems: string[]): ContextKeys | undefined {
  if (file === undefined) return undefined
  let text = ''
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch {
    problems.push(`TRIBUTARY_CONTEXT_KEY_FILE: ${file} cannot be read`)
    return undefined
  }
  const keys = parseContextKeys(text)
  if (keys === undefined) problems.push(`TRIBUTARY_CONTEXT_KEY_FILE: ${file} holds no key of 32 bytes in base64url`)
  return keys
}
