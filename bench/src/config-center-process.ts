import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startConfigCenter } from '@tributary/config-center'
import { openEmbeddedStore, openEtcdStore, type RevisionedStore } from '@tributary/store'
import { serveParent } from './child.js'
import type { StartedSystem, SystemStore, Usage } from './system.js'

/** A whole config center as a process of its own (fsync on). */
type Message = { readonly start: SystemStore } | { readonly usage: true }

serveParent(async (parameter) => {
  const message = parameter as Message
  return 'usage' in message ? usage() : start(message.start)
})

async function start({ etcdPort, folder }: SystemStore): Promise<StartedSystem> {
  const directory = folder ?? (await mkdtemp(path.join(tmpdir(), 'tributary-bench-')))
  if (folder === undefined) process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  const startedAt = performance.now()
  const store = await openStore(directory, etcdPort)
  const server = await startConfigCenter({ store, adminTokenFile: path.join(directory, 'admin.token') })
  const ready = await fetch(`${server.url}/readyz`)
  if (!ready.ok) throw new Error(`the config center is not ready: ${ready.status}`)
  return { url: server.url, token: server.adminToken ?? '', readyMs: performance.now() - startedAt }
}

function openStore(directory: string, etcdPort: number | undefined): Promise<RevisionedStore> {
  if (etcdPort === undefined) return openEmbeddedStore({ path: path.join(directory, 'config-center.db') })
  return openEtcdStore({ endpoints: [`http://127.0.0.1:${etcdPort}`], prefix: 'tributary/' })
}

function readCpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

function usage(): Usage {
  const cpuMs = readCpuMs()
  // After the reading above, and before the answer: a collection is in no interval that begins with an answer and ends with a question.
  globalThis.gc?.()
  return { rssBytes: process.memoryUsage.rss(), cpuMs, cpuMsAfterwards: readCpuMs() }
}
