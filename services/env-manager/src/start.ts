import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createConfigCenterClient } from '@tributary/client'
import { systemClock, type Clock } from '@tributary/kit'
import type { RevisionedStore } from '@tributary/store'
import type { FastifyServerOptions } from 'fastify'
import { createConfigCenterAuthentication } from './adapters/config-center/caller-authentication.js'
import { createConfigPassThrough } from './adapters/config-center/pass-through.js'
import { buildApp } from './app.js'
import type { PlatformConfig } from './domain/platform-config.js'
import type { TypedApp } from './http/route-deps.js'
import { ManagerMetrics } from './metrics/manager-metrics.js'
import { ActivityBook } from './operations/activity-book.js'
import type { EnvironmentDependencies, Logger } from './operations/dependencies.js'
import { createContentLoader } from './operations/load-content.js'
import { RunLogs } from './operations/run-logs.js'
import type { CallerAuthentication } from './ports/caller-authentication.js'
import type { EnvironmentRoutes } from './ports/environment-routes.js'
import type { Platform } from './ports/platform.js'
import type { SourceControl } from './ports/source-control.js'
import type { StatusReporter } from './ports/status-reporter.js'
import { EnvironmentManager } from './reconcile/environment-manager.js'

/** Beside the services' folders, from `src` as from `dist`. */
const CONSOLE_DIRECTORY = fileURLToPath(new URL('../../../console/dist', import.meta.url))

/** What an env-manager needs. Store, routes and source control stay the caller's; the platform is started and stopped here. */
export interface EnvManagerOptions {
  readonly store: RevisionedStore
  readonly platform: Platform
  readonly sourceControl: SourceControl
  readonly routes: EnvironmentRoutes
  /** The config center, and a deployer's token for it. Services reach it at the same address. */
  readonly configCenter: { readonly url: string; readonly token: string }
  readonly config: PlatformConfig
  /** Run logs are kept below it. */
  readonly dataDirectory: string
  /** Values of the secrets that the configuration offers, by name. Default: none. */
  readonly offeredSecrets?: Readonly<Record<string, string>>
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string
  /** Default 0: a free port. */
  readonly port?: number
  /** Default: the outcome stands in the run and its log only. */
  readonly reporter?: StatusReporter
  /** Default: the config center is asked. */
  readonly callers?: CallerAuthentication
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
  const { app, manager } = await assembleEnvManager(options)
  const close = once(async (workloads: 'keep' | 'stop') => {
    await app.close()
    await manager.stop()
    await options.platform.stop({ workloads })
  })
  try {
    await manager.start()
    const url = await app.listen({ host: options.host ?? '127.0.0.1', port: options.port ?? 0 })
    return {
      url,
      app,
      requestLook: (repository) => manager.requestLook(repository),
      close: ({ workloads }) => close(workloads),
    }
  } catch (error) {
    await close('keep')
    throw error
  }
}

/** As {@link startEnvManager}, but nothing runs and nothing listens. */
export async function assembleEnvManager(
  options: EnvManagerOptions,
): Promise<{ readonly app: TypedApp; readonly manager: EnvironmentManager }> {
  const late: { log: Logger } = { log: SILENT }
  const metrics = new ManagerMetrics()
  const deps = { ...dependenciesOf(options, late), observer: metrics }
  const manager = new EnvironmentManager(deps)
  const callers = options.callers ?? createConfigCenterAuthentication(options.configCenter.url)
  const consoleDirectory = options.consoleDirectory ?? CONSOLE_DIRECTORY
  const configPassThrough = createConfigPassThrough(options.configCenter)
  const app = await buildApp({
    deps,
    configPassThrough,
    loop: manager,
    callers,
    metrics,
    consoleDirectory,
    logger: options.logger ?? false,
  })
  late.log = app.log
  return { app, manager }
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

function once<A, R>(work: (argument: A) => Promise<R>): (argument: A) => Promise<R> {
  let result: Promise<R> | undefined
  return (argument) => (result ??= work(argument))
}
