import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createConfigCenterClient, type ConfigCenterClient } from '@tributary/client'
import { startConfigCenter } from '@tributary/config-center'
import type { Endpoint } from '@tributary/contract'
import { openEmbeddedStore } from '@tributary/store'

/** A real config center on a store of its own, in this process. */
export interface RunningConfigCenter {
  readonly url: string
  readonly admin: ConfigCenterClient
  /** What a process of the tenant is started with. */
  environmentOf(tenant: string, service: string): Promise<Record<string, string>>
  stop(): Promise<void>
}

/** Starts one; `stop` leaves nothing behind. */
export async function runConfigCenter(): Promise<RunningConfigCenter> {
  const directory = await mkdtemp(path.join(tmpdir(), 'tributary-scenario-'))
  const store = await openEmbeddedStore({ path: path.join(directory, 'config-center.db') })
  const server = await startConfigCenter({ store, adminTokenFile: path.join(directory, 'admin.token') })
  const admin = createConfigCenterClient({ baseUrl: server.url, token: server.adminToken ?? '' })
  const environmentOf = async (tenant: string, service: string): Promise<Record<string, string>> => {
    const { token } = await admin.createToken({ name: `${tenant}-${service}`, role: 'tenant', tenant })
    return {
      TRIBUTARY_URL: server.url,
      TRIBUTARY_TENANT: tenant,
      TRIBUTARY_SERVICE: service,
      TRIBUTARY_TOKEN: token,
    }
  }
  const stop = async (): Promise<void> => {
    await server.close()
    await store.close()
    await rm(directory, { recursive: true, force: true })
  }
  return { url: server.url, admin, environmentOf, stop }
}

/** The one endpoint of a service on the loopback. */
export function loopback(port: number): Endpoint {
  return { name: 'http', protocol: 'http', host: '127.0.0.1', port }
}
