import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createConfigCenterClient } from '@tributary/client'
import { KeyedMutex, systemClock, type Clock } from '@tributary/kit'
import type { RevisionedStore } from '@tributary/store'
import type { FastifyServerOptions } from 'fastify'
import { createConfigCenterAuthentication } from './adapters/config-center/caller-authentication.js'
import { createConfigPassThrough } from './adapters/config-center/pass-through.js'
import { createOpenIdProvider } from './adapters/oidc/openid-provider.js'
import { buildApp, type AppDeps } from './app.js'
import type { PlatformConfig } from './domain/platform-config.js'
import type { TypedApp } from './http/route-deps.js'
import { openReportDoor, type ReportDoor } from './http/report-door.js'
import { OIDC_CALLBACK_PATH } from './http/sign-in-paths.js'
import { ManagerMetrics } from './metrics/manager-metrics.js'
import { ActivityBook } from './operations/activity-book.js'
import type { EnvironmentDependencies, Logger } from './operations/dependencies.js'
import { GatewayReports } from './operations/gateway-reports.js'
import { createContentLoader } from './operations/load-content.js'
import { RunLogs } from './operations/run-logs.js'
import type { CallerAuthentication } from './ports/caller-authentication.js'
import type { EnvironmentRoutes } from './ports/environment-routes.js'
import type { MeshRoutes } from './ports/mesh-routes.js'
import type { Platform } from './ports/platform.js'
import type { RouteChanges } from './ports/route-changes.js'
import type { SourceControl } from './ports/source-control.js'
import type { StatusReporter } from './ports/status-reporter.js'
import { EnvironmentManager } from './reconcile/environment-manager.js'
import { NameFollower } from './reconcile/name-follower.js'
import { EventHub } from './watch/event-hub.js'
import { followConfig } from './watch/follow-config.js'
import { followRequests } from './watch/follow-requests.js'
import { followStore } from './watch/follow-store.js'

/** Beside the services' folders, from `src` as from `dist`. */
const CONSOLE_DIRECTORY = fileURLToPath(new URL('../../../console/dist', import.meta.url))

/** What an env-manager needs. Store, routes and source control stay the caller's; the platform is started and stopped here. */
export interface EnvManagerOptions {
  readonly store: RevisionedStore
  readonly platform: Platform
  readonly sourceControl: SourceControl
  readonly routes: EnvironmentRoutes
  /** Header routes of a mesh. Default: there is none. */
  readonly meshRoutes?: MeshRoutes
  /** The config center, and a deployer's token for it, or what gives it for each call. Services reach it at the same address. */
  readonly configCenter: { readonly url: string; readonly token: string | (() => string) }
  readonly config: PlatformConfig
  /** Run logs are kept below it. */
  readonly dataDirectory: string
  /** Values of the secrets that the configuration offers, by name. Default: none. */
  readonly offeredSecrets?: Readonly<Record<string, string>>
  /** Of the provider that `config.signIn` names; absent: a public client. */
  readonly oidcClientSecret?: string | undefined
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string
  /** Default 0: a free port. */
  readonly port?: number
  /** Default: the outcome stands in the run and its log only. */
  readonly reporter?: StatusReporter
  /** Default: the config center is asked. */
  readonly callers?: CallerAuthentication
  /** Gateways in processes of their own tell of requests, and hear which environments are asleep. Default: the routes know it themselves. */
  readonly hasReportingGateways?: boolean
  /** Port on which they can report and do nothing else; 0 for a free one. Default: they use the API’s. */
  readonly reportPort?: number
  /** By which service names follow the config center between deploys. Default: they are brought up to date by deploys alone. */
  readonly routeChanges?: RouteChanges
  /** Where the console's files are. Default: those of this repository or image. */
  readonly consoleDirectory?: string
  /** Fastify's logger option. Default: no log. */
  readonly logger?: FastifyServerOptions['logger']
  readonly clock?: Clock
}

/** A running env-manager. */
export interface EnvManager {
  /** Origin, e.g. `http://127.0.0.1:7401`. */
  readonly url: string
  /** Where gateways report, when they have a port of their own. */
  readonly reportPort?: number
  readonly app: TypedApp
  /** Looks at git as soon as possible. */
  requestLook(repository?: string): void
  /**
   * Ends requests, streams and runs (the next start goes on with them); `keep` leaves the environments' processes running and the
   * next start adopts them. Idempotent.
   */
  close(options: { readonly workloads: 'keep' | 'stop' }): Promise<void>
}

/**
 * Starts the control loop, then listens.
 * @throws AppError of the platform's start; the listen error when the port is taken.
 */
export async function startEnvManager(options: EnvManagerOptions): Promise<EnvManager> {
  const { app, manager, followChanges } = await assembleEnvManager(options)
  const stopping = new AbortController()
  const following = followChanges(stopping.signal)
  let door: ReportDoor | undefined
  const close = once(async (workloads: 'keep' | 'stop') => {
    await door?.close()
    await app.close()
    stopping.abort()
    await Promise.all([following, manager.stop()])
    await options.platform.stop({ workloads })
  })
  try {
    await manager.start()
    const { host = '127.0.0.1', reportPort } = options
    const url = await app.listen({ host, port: options.port ?? 0 })
    door = reportPort === undefined ? undefined : await openReportDoor(app, { host, port: reportPort })
    return {
      url,
      ...(door === undefined ? {} : { reportPort: door.port }),
      app,
      requestLook: (repository) => manager.requestLook(repository),
      close: ({ workloads }) => close(workloads),
    }
  } catch (error) {
    await close('keep')
    throw error
  }
}

/** The parts of an env-manager. */
export interface AssembledEnvManager {
  readonly app: TypedApp
  readonly manager: EnvironmentManager
  /** Feeds the event stream until the signal aborts. */
  readonly followChanges: (signal: AbortSignal) => Promise<void>
}

/** As {@link startEnvManager}, but nothing runs and nothing listens. */
export async function assembleEnvManager(options: EnvManagerOptions): Promise<AssembledEnvManager> {
  const late: { log: Logger } = { log: SILENT }
  const metrics = new ManagerMetrics()
  const plain = { ...dependenciesOf(options, late), observer: metrics }
  const reports = new GatewayReports(plain)
  const deps = options.hasReportingGateways === true ? { ...plain, routes: reports.over(plain.routes) } : plain
  const events = new EventHub()
  const onChange = (name: string): void => events.publish({ kind: 'platform', name, revision: '0', gone: false })
  const manager = new EnvironmentManager(deps, { onChange })
  const callers = options.callers ?? createConfigCenterAuthentication(options.configCenter.url)
  const consoleDirectory = options.consoleDirectory ?? CONSOLE_DIRECTORY
  const configPassThrough = createConfigPassThrough(options.configCenter)
  const app = await buildApp({
    deps,
    configPassThrough,
    ...identityProviderOf(options),
    events,
    loop: manager,
    callers,
    metrics,
    reports,
    consoleDirectory,
    logger: options.logger ?? false,
  })
  late.log = app.log
  const followChanges = async (signal: AbortSignal): Promise<void> => {
    const follow = { hub: events, clock: deps.clock, signal }
    const stop = followRequests({ deps, mark: (environment) => manager.mark(environment) })
    signal.addEventListener('abort', stop, { once: true })
    const names = options.routeChanges === undefined ? [] : [new NameFollower(deps, options.routeChanges).run(signal)]
    await Promise.all([followStore(deps.store, follow), followConfig(deps.configCenter, follow), ...names])
  }
  return { app, manager, followChanges }
}

const SILENT: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** The server makes the logger and needs the loop, the loop needs the logger: it gets it a moment later. */
function dependenciesOf(options: EnvManagerOptions, late: { readonly log: Logger }): EnvironmentDependencies {
  const { store, platform, sourceControl, routes, config, configCenter } = options
  return {
    store,
    platform,
    sourceControl,
    routes,
    ...(options.meshRoutes === undefined ? {} : { mesh: { routes: options.meshRoutes, lock: new KeyedMutex() } }),
    config,
    content: createContentLoader(sourceControl),
    configCenter: createConfigCenterClient({ baseUrl: configCenter.url, token: configCenter.token }),
    configCenterUrl: configCenter.url,
    reporter: options.reporter ?? { report: async () => undefined },
    offeredSecrets: options.offeredSecrets ?? {},
    runLogs: new RunLogs(join(options.dataDirectory, 'run-logs')),
    clock: options.clock ?? systemClock,
    activity: new ActivityBook(store),
    log: {
      info: (details, message) => late.log.info(details, message),
      warn: (details, message) => late.log.warn(details, message),
      error: (details, message) => late.log.error(details, message),
    },
  }
}

/** Nobody is asked before somebody signs in. */
function identityProviderOf({
  config,
  oidcClientSecret: clientSecret,
}: EnvManagerOptions): Pick<AppDeps, 'identityProvider'> {
  const { oidc, publicUrl } = config.signIn
  if (oidc === null || publicUrl === null) return {}
  const redirectUri = `${publicUrl}${OIDC_CALLBACK_PATH}`
  return { identityProvider: createOpenIdProvider({ config: oidc, clientSecret, redirectUri }) }
}

function once<A, R>(work: (argument: A) => Promise<R>): (argument: A) => Promise<R> {
  let result: Promise<R> | undefined
  return (argument) => (result ??= work(argument))
}
