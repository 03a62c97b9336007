import { createConfigCenterClient } from '@tributary/client'
import { startConfigCenter, type CatalogReader, type ConfigCenter } from '@tributary/config-center'
import {
  createGitSourceControl,
  createLocalGateway,
  createLocalPlatform,
  readContextKeys,
  startEnvManager,
  type LoadedPlatformConfig,
  type LocalGateway,
} from '@tributary/env-manager'
import { isAppError } from '@tributary/kit'
import { openEmbeddedStore, type RevisionedStore } from '@tributary/store'
import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContextFile } from '../context-file.js'
import { cliError } from '../errors.js'
import { Cleanup, type WorkloadsAtStop } from './cleanup.js'
import { requireFreePorts } from './free-port.js'
import { createGatewayDirectory } from './gateway-directory.js'
import { ensureManagerToken } from './manager-token.js'
import { ensureStoreKeys } from './store-keys.js'

/** Everything here listens on this machine only. */
const HOST = '127.0.0.1'

/** What the platform is started with. */
export interface PlatformOptions extends LoadedPlatformConfig {
  /** Absolute; it exists and can be written. */
  readonly data: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** 0 takes any free one. */
  readonly ports: { readonly configCenter: number; readonly envManager: number; readonly gateway: number }
}

/** The whole platform, running in this process. */
export interface RunningPlatform {
  readonly context: ContextFile
  /** Ends everything in the opposite order of its start. Idempotent. */
  readonly stop: (workloads: WorkloadsAtStop) => Promise<void>
}

/** Starts config center, gateway and env-manager. What was started is ended again when a later part fails. */
export async function startPlatform(options: PlatformOptions): Promise<RunningPlatform> {
  const { ports } = options
  await requireFreePorts(HOST, [
    { port: ports.configCenter, who: 'config center', flag: '--port' },
    { port: ports.envManager, who: 'env-manager', flag: '--env-manager-port' },
    { port: ports.gateway, who: 'preview URLs', flag: '--gateway-port' },
  ])
  const cleanup = new Cleanup()
  try {
    const center = await startCenter(options, cleanup)
    const store = await openStore(options, 'env-manager')
    cleanup.add(() => store.close())
    const gateway = await startGateway(options, { center, store, cleanup })
    const envManagerUrl = await startManager(options, { center, store, gateway, cleanup })
    const gatewayUrl = `http://${HOST}:${gateway.port}`
    return {
      context: { url: center.url, envManagerUrl, gatewayUrl, tokenFile: adminTokenFile(options) },
      stop: (workloads) => cleanup.run(workloads),
    }
  } catch (error) {
    await cleanup.run('stop')
    throw error
  }
}

async function startCenter(options: PlatformOptions, cleanup: Cleanup): Promise<ConfigCenter> {
  const store = await openStore(options, 'config-center')
  cleanup.add(() => store.close())
  const port = options.ports.configCenter
  const keys = ensureStoreKeys(options)
  const center = await startConfigCenter({ store, keys, host: HOST, port, adminTokenFile: adminTokenFile(options) })
  cleanup.add(() => center.close())
  return center
}

async function startGateway(
  { ports }: PlatformOptions,
  { center, store, cleanup }: Omit<ManagerParts, 'gateway'>,
): Promise<LocalGateway> {
  const catalog = (): CatalogReader => center.context.live.catalog
  const hasTenant = (name: string): boolean => catalog().tenant(name) !== undefined
  const callbacks = { keys: await readContextKeys(store), hasTenant }
  const listening = { host: HOST, port: ports.gateway, callbacks }
  const gateway = createLocalGateway({ ...createGatewayDirectory(catalog), ...listening })
  await gateway.start()
  cleanup.add(() => gateway.close())
  return gateway
}

interface ManagerParts {
  readonly center: ConfigCenter
  /** The env-manager's. */
  readonly store: RevisionedStore
  readonly gateway: LocalGateway
  readonly cleanup: Cleanup
}

async function startManager(
  options: PlatformOptions,
  { center, store, gateway, cleanup }: ManagerParts,
): Promise<string> {
  const { data, env, config, offeredSecrets } = options
  const dataDirectory = join(data, 'env-manager')
  const sourceControl = createGitSourceControl({ dataDirectory, host: env })
  const manager = await startEnvManager({
    store,
    sourceControl,
    platform: createLocalPlatform({ dataDirectory, instance: instanceOf(options), sourceControl, host: env }),
    routes: gateway,
    configCenter: { url: center.url, token: await managerToken(center, join(dataDirectory, 'deployer.token')) },
    config,
    offeredSecrets,
    oidcClientSecret: options.oidcClientSecret,
    dataDirectory,
    host: HOST,
    port: options.ports.envManager,
  })
  cleanup.add((workloads) => manager.close({ workloads }))
  return manager.url
}

function managerToken({ url, adminToken = '' }: ConfigCenter, file: string): Promise<string> {
  return ensureManagerToken(createConfigCenterClient({ baseUrl: url, token: adminToken }), url, file)
}

/** Two data folders on one machine are two installations, also when their configurations give them one name. */
export function instanceOf({ config, data }: Pick<PlatformOptions, 'config' | 'data'>): string {
  return `${config.instance}-${createHash('sha256').update(data).digest('hex').slice(0, 8)}`
}

function adminTokenFile({ data }: PlatformOptions): string {
  return join(data, 'admin.token')
}

async function openStore(options: PlatformOptions, part: string): Promise<RevisionedStore> {
  const { data } = options
  const folder = join(data, part)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  try {
    return await openEmbeddedStore({ path: join(folder, 'store.db'), keys: ensureStoreKeys(options) })
  } catch (error) {
    if (!isAppError(error, 'STORE_LOCKED')) throw error
    throw cliError(
      'CLI_DATA_LOCKED',
      `cannot use the data folder ${data}; another \`tributary up\` uses it; end that one or name another folder with --data`,
      error,
    )
  }
}
