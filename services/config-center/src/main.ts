import { join } from 'node:path'
import { isAppError } from '@tributary/kit'
import { openStore } from '@tributary/store'
import { createKubernetesWorkloadIdentity } from './adapters/kubernetes/kubernetes-workload-identity.js'
import { readConfig } from './config.js'
import { startConfigCenter } from './start.js'

const STORE_FILE = 'store.db'
/** In an etcd that others use as well. */
const STORE_PREFIX = 'tributary/config-center/'

/** Runs until SIGINT or SIGTERM; then streams get their goodbye and the store is closed. */
async function main(): Promise<void> {
  const config = readConfig()
  const { host, port, dataDir, adminTokenFile, logLevel } = config
  const store = await openStore(config.store, { path: join(dataDir, STORE_FILE), prefix: STORE_PREFIX })
  try {
    const replicate = config.store.kind === 'etcd' ? { advertisedUrl: config.advertisedUrl } : undefined
    const { historyLimits, identity, givenAdminTokenFile } = config
    const workloadIdentity = identity === undefined ? undefined : createKubernetesWorkloadIdentity(identity)
    const token = givenAdminTokenFile === undefined ? { adminTokenFile } : { givenAdminTokenFile }
    const listen = { host, port, historyLimits, logger: { level: logLevel } }
    const { keys } = config.store
    const center = await startConfigCenter({ store, keys, replicate, workloadIdentity, ...token, ...listen })
    center.app.log.info({ url: center.url, ...token }, 'config center is ready')
    const signal = await untilSignal()
    center.app.log.info({ signal }, 'config center is stopping')
    await center.close()
  } finally {
    await store.close()
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
