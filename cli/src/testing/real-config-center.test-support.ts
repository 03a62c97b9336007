import { startConfigCenter, type ConfigCenter } from '@tributary/config-center'
import { createConfigCenterClient, type ConfigCenterClient } from '@tributary/client'
import { openEmbeddedStore } from '@tributary/store'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from '../program.js'
import type { CliRuntime } from '../runtime.js'
import { fakeRuntime } from './fake-runtime.test-support.js'

/** A real config center on an embedded store in a folder of its own. */
export interface RealConfigCenter {
  readonly url: string
  readonly token: string
  readonly folder: string
  readonly client: ConfigCenterClient
  /** Runs one command line against it. */
  readonly tributary: (...args: string[]) => Promise<{ status: number; stdout: string; stderr: string }>
  /** A runtime whose environment names the server. */
  readonly runtime: (overrides?: Partial<CliRuntime>) => ReturnType<typeof fakeRuntime>
  readonly close: () => Promise<void>
}

/** Starts it; call `close` at the end. */
export async function startRealConfigCenter(): Promise<RealConfigCenter> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-cli-'))
  const store = await openEmbeddedStore({ path: join(folder, 'store.db') })
  const center = await startConfigCenter({ store, adminTokenFile: join(folder, 'admin.token') })
  const token = center.adminToken ?? ''
  const runtime = (overrides: Partial<CliRuntime> = {}) =>
    fakeRuntime({ fetch, env: { TRIBUTARY_URL: center.url, TRIBUTARY_TOKEN: token }, cwd: folder, ...overrides })
  return {
    url: center.url,
    token,
    folder,
    runtime,
    client: createConfigCenterClient({ baseUrl: center.url, token }),
    tributary: async (...args) => {
      const fake = runtime()
      const status = await runCli(args, fake.runtime)
      return { status, stdout: fake.stdout(), stderr: fake.stderr() }
    },
    close: () => closeAll(center, { store, folder }),
  }
}

async function closeAll(
  center: ConfigCenter,
  { store, folder }: { store: { close(): Promise<void> }; folder: string },
): Promise<void> {
  await center.close()
  await store.close()
  await rm(folder, { recursive: true, force: true })
}
