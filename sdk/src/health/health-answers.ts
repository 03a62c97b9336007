import type { Tributary } from '../tributary.js'

/** Paths of the health endpoints. */
export interface HealthOptions {
  /** Answers 200 while the process lives. Default `/healthz`. */
  readonly livenessPath?: string
  /** Answers 200 while a view is held and `isReady` agrees, else 503. Default `/readyz`. */
  readonly readinessPath?: string
  /** Answers the self-check, 200 when it is ok, else 503. Default `/selfcheck`. */
  readonly selfCheckPath?: string
  /** The program's own say in readiness. Default: always ready. */
  readonly isReady?: () => boolean | Promise<boolean>
  /** For each TCP connect of the self-check. Default 1,000. */
  readonly timeoutMs?: number
}

/** An answer of a health endpoint, ready to be sent as JSON. */
export interface HealthAnswer {
  readonly status: 200 | 503
  readonly body: object
}

/** Makes one answer. */
export type HealthEndpoint = () => Promise<HealthAnswer>

/** The health endpoints by path. */
export function healthEndpoints(client: Tributary, options: HealthOptions = {}): ReadonlyMap<string, HealthEndpoint> {
  return new Map<string, HealthEndpoint>([
    [options.livenessPath ?? '/healthz', () => Promise.resolve({ status: 200, body: { status: 'ok' } })],
    [options.readinessPath ?? '/readyz', () => readiness(client, options)],
    [options.selfCheckPath ?? '/selfcheck', () => selfCheck(client, options)],
  ])
}

async function readiness(client: Tributary, options: HealthOptions): Promise<HealthAnswer> {
  const { state, reason } = client.status
  const ready = client.holdsView && (await askProgram(options.isReady))
  return { status: ready ? 200 : 503, body: { ready, state, reason, appliedRevision: client.appliedRevision ?? null } }
}

async function askProgram(isReady: HealthOptions['isReady']): Promise<boolean> {
  try {
    return (await isReady?.()) ?? true
  } catch {
    return false
  }
}

async function selfCheck(client: Tributary, options: HealthOptions): Promise<HealthAnswer> {
  const { timeoutMs } = options
  const found = await client.selfCheck(timeoutMs === undefined ? {} : { timeoutMs })
  return { status: found.ok ? 200 : 503, body: found }
}
