import { INTEGRATION_TENANT } from '@tributary/contract'
import { connect, type Tributary } from '@tributary/sdk'
import type { RevisionedStore } from '@tributary/store'
import { createRouteChanges } from '../adapters/config-center/route-changes.js'
import { createGitSourceControl } from '../adapters/git/index.js'
import type { ConfigCenterAccess, EnvManagerConfig, ProcessEnvironment } from '../config.js'
import { messageOf } from '../operations/dependencies.js'
import { provideContextKey, readContextKeys } from '../operations/state/secret-vault.js'
import { startEnvManager, type EnvManager } from '../start.js'
import { composePlatform } from './compose-platform.js'

/** What {@link manage} takes besides the configuration. */
export interface ManageOptions {
  readonly store: RevisionedStore
  readonly stopping: AbortSignal
  /** The process's own environment variables, for the programs that it starts. */
  readonly host: ProcessEnvironment
}

/** Manages until `stopping` aborts. Environments keep running. */
export async function manage(given: EnvManagerConfig, { store, stopping, host }: ManageOptions): Promise<void> {
  const { config, dataDirectory, configCenter, offeredSecrets, oidcClientSecret, logLevel } = given
  const cleanup: (() => Promise<void>)[] = []
  let manager: EnvManager | undefined
  try {
    if (given.contextKey !== undefined) await provideContextKey(store, given.contextKey)
    const table = await connectTable(configCenter)
    cleanup.unshift(() => table.close())
    const sourceControl = createGitSourceControl({ dataDirectory, host })
    const contextKeys = await readContextKeys(store)
    const onError = (error: unknown): void =>
      manager?.app.log.warn({ error: messageOf(error) }, 'watching the platform broke off; it is begun again')
    const inputs = { config, dataDirectory, sourceControl, table, contextKeys, host, onError }
    const { platform, routes, meshRoutes, close } = await composePlatform(inputs)
    cleanup.unshift(close)
    const secrets = { offeredSecrets, oidcClientSecret }
    const mesh = meshRoutes === undefined ? {} : { meshRoutes }
    const parts = { store, platform, sourceControl, routes, configCenter, config, dataDirectory, ...secrets, ...mesh }
    const door = given.reportPort === undefined ? {} : { reportPort: given.reportPort }
    const listening = { host: given.host, port: given.port, ...door, logger: { level: logLevel } }
    const hasReportingGateways = platform.name === 'kubernetes'
    const following = { routeChanges: createRouteChanges(table), hasReportingGateways }
    const started = await startEnvManager({ ...parts, ...listening, ...following })
    manager = started
    cleanup.unshift(() => started.close({ workloads: 'keep' }))
    started.app.log.info({ url: started.url, platform: platform.name }, 'env-manager is ready')
    await aborted(stopping)
    started.app.log.info({ signal: stopping.reason }, 'env-manager is stopping')
  } finally {
    for (const end of cleanup) await end()
  }
}

function connectTable({ url, token, tokenFile }: ConfigCenterAccess): Promise<Tributary> {
  const proof = typeof token === 'string' ? { token } : { tokenFile: tokenFile ?? '' }
  return connect({ url, ...proof, tenant: INTEGRATION_TENANT, readyTimeoutMs: 1000, env: {} })
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
