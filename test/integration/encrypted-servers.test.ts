import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createConfigCenterClient, type ConfigCenterClient } from '@tributary/client'
import { addStoreKey } from '@tributary/store'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ServerProcess } from '../support/server-process.js'
import { waitFor } from '../support/wait-for.js'

const READY = 'config center is ready'
let folder: string
let servers: ServerProcess[]

beforeEach(async () => {
  servers = []
  folder = await mkdtemp(path.join(tmpdir(), 'tributary-encrypted-'))
})

afterEach(async () => {
  for (const server of servers) await server.end('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

function launch(keyFile: string | undefined): ServerProcess {
  const env = {
    TRIBUTARY_PORT: '0',
    TRIBUTARY_DATA_DIR: path.join(folder, 'data'),
    TRIBUTARY_ADMIN_TOKEN_FILE: path.join(folder, 'admin.token'),
    ...(keyFile === undefined ? {} : { TRIBUTARY_STORE_KEY_FILE: keyFile }),
  }
  const server = ServerProcess.launch({ service: 'config-center', env })
  servers.push(server)
  return server
}

async function clientOf(server: ServerProcess): Promise<ConfigCenterClient> {
  const baseUrl = await server.urlIn(READY)
  return createConfigCenterClient({ baseUrl, token: (await readFile(path.join(folder, 'admin.token'), 'utf8')).trim() })
}

/** Everything that the server keeps. */
async function stored(): Promise<string> {
  const data = path.join(folder, 'data')
  const files = await readdir(data)
  return (await Promise.all(files.map((file) => readFile(path.join(data, file), 'latin1')))).join('\n')
}

/** Waits for the process to end by itself. */
async function untilRefused(server: ServerProcess): Promise<string> {
  await waitFor('the server to end', async () => {
    if (server.exitCode === null) throw new Error(server.output.slice(-2_000))
    return true
  })
  expect(server.exitCode).toBe(1)
  return server.output
}

const place = { tenant: 'integration', service: 'orders' }

describe('a config center with a key file', () => {
  it('leaves no value in plain behind when it is killed, and goes on with its key and with a new one', async () => {
    const keyFile = path.join(folder, 'store.key')
    addStoreKey(keyFile)
    const first = launch(keyFile)
    const client = await clientOf(first)
    await client.applyTenant('integration', { base: null })
    await client.applyDocument(place, { password: 'hunter2-in-plain' })
    await first.end('SIGKILL')
    expect(await stored()).not.toContain('hunter2')
    addStoreKey(keyFile)
    const second = launch(keyFile)
    expect((await (await clientOf(second)).getDocument(place)).data).toEqual({ password: 'hunter2-in-plain' })
    await second.end('SIGTERM')
    expect(await stored()).not.toContain('hunter2')
  })

  it('does not start without its key or with another, and says which it needs', async () => {
    const keyFile = path.join(folder, 'store.key')
    const { id } = addStoreKey(keyFile)
    const first = launch(keyFile)
    await first.urlIn(READY)
    await first.end('SIGTERM')
    expect(await untilRefused(launch(undefined))).toContain('STORE_ENCRYPTED')
    const other = path.join(folder, 'other.key')
    addStoreKey(other)
    const refusal = await untilRefused(launch(other))
    expect(refusal).toContain('STORE_KEY_UNKNOWN')
    expect(refusal).toContain(id)
    expect(await untilRefused(launch(path.join(folder, 'none.key')))).toContain('TRIBUTARY_STORE_KEY_FILE')
  })
})
