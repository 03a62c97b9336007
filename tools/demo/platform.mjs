import { spawn } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createConfigCenterClient, createEnvManagerClient } from '@tributary/client'
import { root } from '../lib/prepare.mjs'
import { fatal, waitFor } from './wait-for.mjs'

const PORTS = { '--port': 7400, '--env-manager-port': 7401, '--gateway-port': 7480 }

/** Starts `tributary up` as a process of its own. It ends by itself when this process dies, however that happens. */
export async function startPlatform({ data, config, anyPorts, signal }) {
  const { args, moved } = await choosePorts(anyPorts)
  const contextFile = join(data, 'context.json')
  // What an earlier run has left there must not be taken for what this one is about to write.
  await rm(contextFile, { force: true })
  const child = spawn(
    process.execPath,
    [join(root, 'cli/bin/tributary.mjs'), 'up', '--data', data, '--config', config, '--stop-on-stdin-end', ...args],
    { cwd: root, stdio: ['pipe', 'ignore', 'pipe'], detached: true },
  )
  const errors = collect(child.stderr)
  const exited = new Promise((resolve) => child.once('exit', resolve))
  let ended = false
  void exited.then(() => (ended = true))
  const context = await waitFor(
    'the start of `tributary up`',
    async () => {
      if (ended) throw fatal(errors().trim().split('\n').at(-1) || '`tributary up` ended at once')
      return JSON.parse(await readFile(contextFile, 'utf8'))
    },
    { signal },
  )
  const token = (await readFile(context.tokenFile, 'utf8')).trim()
  return {
    ...context,
    moved,
    errors,
    exited,
    configCenter: createConfigCenterClient({ baseUrl: context.url, token }),
    envManager: createEnvManagerClient({ baseUrl: context.envManagerUrl, token }),
    /** Asks as Ctrl-C does, and resolves when the process is gone. */
    stop: async () => {
      if (!ended) child.kill('SIGINT')
      await exited
    },
  }
}

/** The usual ports; where one is taken, any free one instead. */
async function choosePorts(any) {
  const args = []
  const moved = []
  for (const [flag, port] of Object.entries(PORTS)) {
    const free = !any && (await isFree(port))
    if (!any && !free) moved.push(port)
    args.push(flag, String(free ? port : 0))
  }
  return { args, moved }
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

function collect(stream) {
  let text = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk) => (text = (text + chunk).slice(-10_000)))
  return () => text
}
