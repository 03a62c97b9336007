import { readdir, readFile, readlink } from 'node:fs/promises'
import { connect } from 'node:net'
import path from 'node:path'
import { openEmbeddedStore, readStoreKeys } from '@tributary/store'

/** Ids of processes whose working folder or command line is below `folder`. Linux only, where CI runs. */
export async function processesBelow(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async (pid) => {
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '')
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      return `${cwd}/`.startsWith(`${folder}/`) || command.includes(`${folder}/`)
    }),
  )
  return pids.filter((_pid, index) => found[index])
}

/** True when nobody listens on the port. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.once('error', () => resolve(true))
  })
}

/** Keys of both stores of a stopped platform whose path has `name` as a segment; what is kept of the past, and orders it, aside. */
export async function keysOf(data: string, name: string): Promise<string[]> {
  const keys: string[] = []
  for (const part of ['config-center', 'env-manager']) {
    const open = { path: path.join(data, part, 'store.db'), keys: () => readStoreKeys(path.join(data, 'store.key')) }
    const store = await openEmbeddedStore(open)
    const { entries } = await store.range({ select: { prefix: '' } })
    await store.close()
    keys.push(...entries.map(({ key }) => key).filter((key) => key.split('/').includes(name)))
  }
  return keys.filter((key) => !/^(cc\/(head|history|history-floor)|em\/(receipt|run-of))\//.test(key))
}

/** Paths below `folder` that name the environment. */
export async function pathsOf(folder: string, name: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true }).catch(() => [])
  return entries.filter((entry) => entry.split(path.sep).includes(name))
}
