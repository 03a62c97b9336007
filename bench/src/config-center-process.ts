import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startConfigCenter } from '@tributary/config-center'
import { openEmbeddedStore } from '@tributary/store'
import { serveParent } from './child.js'
import type { Usage } from './system.js'

/** A whole config center on an embedded store of its own (fsync on), as a process of its own. */
type Message = { readonly start: true } | { readonly usage: true }

let directory = ''

serveParent(async (parameter) => {
  const message = parameter as Message
  if ('usage' in message) return usage()
  directory = await mkdtemp(path.join(tmpdir(), 'tributary-bench-'))
  const store = await openEmbeddedStore({ path: path.join(directory, 'config-center.db') })
  const server = await startConfigCenter({ store, adminTokenFile: path.join(directory, 'admin.token') })
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  return { url: server.url, token: server.adminToken }
})

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
