import type { Clock, KeyedMutex } from '@tributary/kit'
import type { RevisionedStore } from '@tributary/store'
import type { PlatformConfig } from '../domain/platform-config.js'
import type { ConfigCenter } from '../ports/config-center.js'
import type { EnvironmentRoutes } from '../ports/environment-routes.js'
import type { ManagerObserver } from '../ports/manager-observer.js'
import type { MeshRoutes } from '../ports/mesh-routes.js'
import type { Platform } from '../ports/platform.js'
import type { SourceControl } from '../ports/source-control.js'
import type { StatusReporter } from '../ports/status-reporter.js'
import type { ActivityBook } from './activity-book.js'
import type { ContentLoader } from './load-content.js'
import type { RunLogs } from './run-logs.js'

/** Structured log, as pino and Fastify write it. */
export interface Logger {
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

/** What the operations on environments work with. */
export interface EnvironmentDependencies {
  readonly store: RevisionedStore
  readonly platform: Platform
  readonly sourceControl: SourceControl
  readonly content: ContentLoader
  readonly routes: EnvironmentRoutes
  readonly configCenter: ConfigCenter
  /** Address of the config center as services reach it: `TRIBUTARY_URL`. */
  readonly configCenterUrl: string
  readonly reporter: StatusReporter
  readonly config: PlatformConfig
  /** Values of the secrets that the platform configuration offers, by name. */
  readonly offeredSecrets: Readonly<Record<string, string>>
  readonly runLogs: RunLogs
  readonly clock: Clock
  readonly log: Logger
  /** Default: nobody is told. */
  readonly observer?: ManagerObserver
  /** When environments were used last. Default: nothing is known of it. */
  readonly activity?: ActivityBook
  /** Header routes of a mesh; of an environment one call at a time reads and applies. Default: the platform knows no mesh. */
  readonly mesh?: { readonly routes: MeshRoutes; readonly lock: KeyedMutex }
}

/** Time to live of the configuration in milliseconds; null: none. */
export function ttlMsOf({ ttlHours }: Pick<PlatformConfig, 'ttlHours'>): number | null {
  return ttlHours === null ? null : ttlHours * 3_600_000
}

/**
 * Time without use after which an environment falls asleep, in milliseconds; null: never. Where requests are not counted nobody can tell
 * that an environment is idle, so none falls asleep by itself.
 */
export function sleepAfterMsOf({ config, routes }: Pick<EnvironmentDependencies, 'config' | 'routes'>): number | null {
  const { sleepAfterHours } = config
  const isCounted = routes.follow !== undefined && routes.countsRequests?.() !== false
  return sleepAfterHours === null || !isCounted ? null : sleepAfterHours * 3_600_000
}

/** One readable line for any failure. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
