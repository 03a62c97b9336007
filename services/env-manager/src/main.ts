import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { INTEGRATION_TENANT } from '@tributary/contract'
import { isAppError } from '@tributary/kit'
import { connect } from '@tributary/sdk'
import { openStore } from '@tributary/store'
import { resolveFromTable } from './adapters/config-center/resolve-from-table.js'
import { createGitSourceControl } from './adapters/git/index.js'
import { createLocalGateway, createLocalPlatform } from './adapters/local/index.js'
import { readConfig } from './config.js'
import { readContextKeys } from './operations/state/secret-vault.js'
import { startEnvManager } from './start.js'

/** In an etcd that others use as well. */
const STORE_PREFIX = 'tributary/env-manager/'

/** Runs until SIGINT or SIGTERM. Environments keep running; the next start adopts them. */
async function main(): Promise<void> {
  const { config, offeredSecrets, host, port, dataDirectory, store: choice, configCenter, logLevel } = readConfig()
  const cleanup: (() => Promise<void>)[] = []
  try {
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
    const store = await openStore(choice, { path: join(dataDirectory, 'store.db'), prefix: STORE_PREFIX })
    cleanup.unshift(() => store.close())
    const table = await connect({ ...configCenter, tenant: INTEGRATION_TENANT, readyTimeoutMs: 1000, env: {} })
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
    manager.app.log.info({ signal: await untilSignal() }, 'env-manager is stopping')
  } finally {
    for (const end of cleanup) await end()
  }
}

function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal))
  })
}

try {
  await main()
} catch (error) {
  process.stderr.write(`${isAppError(error) ? `${error.code}: ${error.message}` : String(error)}\n`)
  process.exitCode = 1
}
