import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { INTEGRATION_TENANT } from '@tributary/contract'
import { isAppError, systemClock } from '@tributary/kit'
import { connect, type Tributary } from '@tributary/sdk'
import { openStore, type RevisionedStore } from '@tributary/store'
import { resolveFromTable } from './adapters/config-center/resolve-from-table.js'
import { createLocalGateway } from './adapters/gateway/index.js'
import { createGitSourceControl } from './adapters/git/index.js'
import { createLocalPlatform } from './adapters/local/index.js'
import { readConfig, type ConfigCenterAccess, type EnvManagerConfig } from './config.js'
import { startStandby, type Standby } from './http/standby.js'
import { Leadership, type CampaignOptions } from './leadership/leadership.js'
import { provideContextKey, readContextKeys } from './operations/state/secret-vault.js'
import { startEnvManager } from './start.js'

/** In an etcd that others use as well. */
const STORE_PREFIX = 'tributary/env-manager/'
/** Somebody else may lead: nothing here may act any more, not even to clean up. Whatever supervises the process starts it again. */
const EXIT_DEPOSED = 70

/** Runs until SIGINT or SIGTERM. Environments keep running; the next start adopts them. */
async function main(): Promise<void> {
  const config = readConfig()
  const { dataDirectory, store: choice } = config
  const stopping = stopOnSignal()
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
  const store = await openStore(choice, { path: join(dataDirectory, 'store.db'), prefix: STORE_PREFIX })
  try {
    if (choice.kind === 'embedded') await manage(config, store, stopping)
    else await lead(config, store, stopping)
  } finally {
    await store.close()
  }
}

/** Waits until nobody else leads, then manages until the end. */
async function lead(config: EnvManagerConfig, store: RevisionedStore, stopping: AbortSignal): Promise<void> {
  let leader: string | undefined
  const { host, logLevel } = config
  const standby = await startStandby({ ...config, leader: () => leader, logger: { level: logLevel } })
  const onWaiting = (url: string): void => {
    leader = url
    standby.log.info({ leader }, 'env-manager is a standby')
  }
  const campaign = { store, clock: systemClock, url: standby.url, signal: stopping, onWaiting }
  const leadership = await winOrEnd(campaign, standby)
  leadership.lost.addEventListener('abort', () => process.exit(EXIT_DEPOSED), { once: true })
  try {
    await manage({ ...config, host, port: standby.port }, leadership.store, stopping)
  } finally {
    await leadership.resign()
  }
}

/** The port is free again afterwards, for the manager. */
async function winOrEnd(campaign: CampaignOptions, standby: Standby): Promise<Leadership> {
  try {
    return await Leadership.campaign(campaign)
  } finally {
    await standby.close()
  }
}

async function manage(given: EnvManagerConfig, store: RevisionedStore, stopping: AbortSignal): Promise<void> {
  const { config, offeredSecrets, host, port, dataDirectory, configCenter, logLevel } = given
  const cleanup: (() => Promise<void>)[] = []
  try {
    if (given.contextKey !== undefined) await provideContextKey(store, given.contextKey)
    const table = await connectTable(configCenter)
    cleanup.unshift(() => table.close())
    const callbacks = {
      keys: await readContextKeys(store),
      hasTenant: (name: string) => table.messages.hasTenant(name),
    }
    const gateway = { host: '127.0.0.1', port: config.gateway.port, callbacks }
    const routes = createLocalGateway({ ...resolveFromTable(table), ...gateway })
    await routes.start()
    cleanup.unshift(() => routes.close())
    const sourceControl = createGitSourceControl({ dataDirectory, host: process.env })
    const { instance } = config
    const platform = createLocalPlatform({ dataDirectory, instance, sourceControl, host: process.env })
    const parts = { store, platform, sourceControl, routes, configCenter, config, offeredSecrets, dataDirectory }
    const manager = await startEnvManager({ ...parts, host, port, logger: { level: logLevel } })
    cleanup.unshift(() => manager.close({ workloads: 'keep' }))
    manager.app.log.info({ url: manager.url }, 'env-manager is ready')
    await aborted(stopping)
    manager.app.log.info({ signal: stopping.reason }, 'env-manager is stopping')
  } finally {
    for (const end of cleanup) await end()
  }
}

function connectTable({ url, token, tokenFile }: ConfigCenterAccess): Promise<Tributary> {
  const proof = typeof token === 'string' ? { token } : { tokenFile: tokenFile ?? '' }
  return connect({ url, ...proof, tenant: INTEGRATION_TENANT, readyTimeoutMs: 1000, env: {} })
}

/** Aborts at the first SIGINT or SIGTERM, with its name as the reason. */
function stopOnSignal(): AbortSignal {
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort(signal))
  return stopping.signal
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

try {
  await main()
} catch (error) {
  // A standby that is stopped has nothing to do first; the reason is the signal's name.
  if (typeof error === 'string') process.exit(0)
  process.stderr.write(`${isAppError(error) ? `${error.code}: ${error.message}` : String(error)}\n`)
  process.exitCode = 1
}
