import { resolveFromTable } from '../adapters/config-center/resolve-from-table.js'
import { createLocalGateway } from '../adapters/gateway/index.js'
import { createLocalPlatform } from '../adapters/local/index.js'
import type { ComposedPlatform, PlatformInputs } from './compose-platform.js'

/** Processes of this machine, behind a gateway in this process. */
export async function composeLocal(inputs: PlatformInputs): Promise<ComposedPlatform> {
  const { config, dataDirectory, sourceControl, table, contextKeys, host } = inputs
  const callbacks = { keys: contextKeys, hasTenant: (name: string) => table.messages.hasTenant(name) }
  const listening = { host: '127.0.0.1', port: config.gateway.port, callbacks }
  const routes = createLocalGateway({ ...resolveFromTable(table), ...listening })
  await routes.start()
  const platform = createLocalPlatform({ dataDirectory, instance: config.instance, sourceControl, host })
  return { platform, routes, close: () => routes.close() }
}
