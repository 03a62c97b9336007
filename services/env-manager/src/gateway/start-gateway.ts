import { randomUUID } from 'node:crypto'
import { createConfigCenterClient, createEnvManagerClient } from '@tributary/client'
import { isAppError, systemClock, type Clock } from '@tributary/kit'
import { connect, type Tributary } from '@tributary/sdk'
import { resolveFromTable } from '../adapters/config-center/resolve-from-table.js'
import { GatewayServer } from '../adapters/gateway/index.js'
import type { GatewayConfig } from './config.js'
import { GatewayHealth } from './gateway-health.js'
import { gatewayToken } from './gateway-token.js'
import { RequestReporter } from './request-reporter.js'

/** A gateway that runs. */
export interface RunningGateway {
  readonly port: number
  readonly healthPort: number
  /**
   * Ends it without breaking requests: not ready at once, but new connections are taken for the configured delay, because balancers learn of it
   * late; then requests finish, bounded.
   */
  stop(): Promise<void>
}

/** How often it looks whether environments that somebody is connected to are still there. */
const LOOK_MS = 1_000
/**
 * A new installation refuses its gateway's stream until integration is registered, minutes later. With the SDK's own patience, which is
 * meant for many clients, the first previews would not be there for another minute; gateways are few.
 */
const STREAM_TIMING = { initialBackoffMs: 250, maxRefusedBackoffMs: 2_000 }
/** A probe waits no longer for its answer. */
const ASK_MS = 800

/** What {@link startGateway} takes beside its configuration. */
export interface GatewayParts {
  readonly onError: (error: unknown) => void
  /** Told when requests cannot be reported; it is tried again. Default: {@link onError}. */
  readonly onReportError?: (error: unknown) => void
  readonly clock?: Clock
}

/**
 * Starts the gateway as a process of its own: stateless, any number of them. Which environments there are, and who answers in them, it has from the
 * config center's route table, in memory; it goes on with the last one while the config center is down.
 */
export async function startGateway(config: GatewayConfig, parts: GatewayParts): Promise<RunningGateway> {
  const { host, tenant, env } = config
  const table = await connect({ env, tenant, observeCalls: 'off', readyTimeoutMs: 1_000, timing: STREAM_TIMING })
  const state = { isStopping: false }
  const health = new GatewayHealth({
    unreadyBecause: async () => (state.isStopping ? 'the gateway is stopping' : whyNot(table, config)),
    isLive: () => table.status.state === 'READY',
  })
  const reporting = startReporting(config, parts)
  const server = createServer(config, { ...parts, table, health, reporter: reporting?.reporter })
  try {
    await server.start()
    const healthPort = await health.start(host, config.healthPort)
    const looking = setInterval(() => endGone(server, table), LOOK_MS)
    const stop = async (): Promise<void> => {
      state.isStopping = true
      // A connection that is kept would be cut at the end just when its client uses it again.
      server.sendClientsAway()
      await (parts.clock ?? systemClock).sleep(config.drainDelayMs)
      await server.drain(config.drainGraceMs)
      clearInterval(looking)
      await reporting?.stop()
      await table.close()
      await health.close()
    }
    return { port: server.port, healthPort, stop }
  } catch (error) {
    await reporting?.stop()
    await server.close()
    await table.close()
    throw error
  }
}

interface ServerParts extends GatewayParts {
  readonly table: Tributary
  readonly health: GatewayHealth
  readonly reporter: RequestReporter | undefined
}

interface Reporting {
  readonly reporter: RequestReporter
  readonly stop: () => Promise<void>
}

/** Undefined when the configuration names nobody to report to. */
function startReporting(
  { reportUrl, env }: GatewayConfig,
  { clock, onError, onReportError }: GatewayParts,
): Reporting | undefined {
  if (reportUrl === undefined) return undefined
  const manager = createEnvManagerClient({ baseUrl: reportUrl, token: () => gatewayToken(env) })
  const reporter = new RequestReporter({
    gateway: randomUUID(),
    send: (report, signal) => manager.reportRequests(report, { signal }),
    clock: clock ?? systemClock,
    onError: onReportError ?? onError,
  })
  const stopping = new AbortController()
  const running = reporter.run(stopping.signal)
  const stop = (): Promise<void> => {
    stopping.abort()
    return running
  }
  return { reporter, stop }
}

/** What the server tells a reporter, and asks it. */
function reportingHooks(reporter: RequestReporter | undefined) {
  if (reporter === undefined) return {}
  return {
    onRequest: (environment: string): void => reporter.noteUsed(environment),
    onWanted: (environment: string): void => reporter.noteWanted(environment),
  }
}

function createServer(config: GatewayConfig, { table, health, reporter, onError }: ServerParts): GatewayServer {
  const { host, port, site, contextKeys } = config
  const hasTenant = (environment: string): boolean | undefined => table.messages.hasTenant(environment)
  return new GatewayServer({
    ...resolveFromTable(table),
    host,
    port,
    site,
    environments: { has: hasTenant, isAsleep: (environment) => reporter?.isAsleep(environment) === true },
    ...reportingHooks(reporter),
    ...(contextKeys === undefined ? {} : { callbacks: { keys: contextKeys, hasTenant } }),
    onAnswer: (status) => health.noteAnswer(status),
    onError,
  })
}

async function whyNot(table: Tributary, config: GatewayConfig): Promise<string | undefined> {
  if (table.messages.hasTenant(config.tenant) !== undefined) return undefined
  return (await isRootMissing(config)) ? undefined : table.status.reason
}

/** A new installation has no integration environment yet: its gateway has nothing to serve, and is ready for it. */
async function isRootMissing({ env, tenant }: GatewayConfig): Promise<boolean> {
  const center = createConfigCenterClient({ baseUrl: env.TRIBUTARY_URL ?? '', token: () => gatewayToken(env) })
  try {
    await center.getTenant(tenant, { signal: AbortSignal.timeout(ASK_MS) })
    return false
  } catch (error) {
    return isAppError(error, 'TENANT_NOT_FOUND')
  }
}

/** The table says no word when a tenant goes; connections that are open must not outlive it. */
function endGone(server: GatewayServer, table: Tributary): void {
  for (const environment of server.connected()) {
    if (table.messages.hasTenant(environment) === false) server.endConnections(environment)
  }
}
