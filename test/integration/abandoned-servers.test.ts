import { spawn, type ChildProcess } from 'node:child_process'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createEnvManagerClient } from '@tributary/client'
import { ensureBuilt } from '@tributary/testkit'
import { runConfigCenter, type RunningConfigCenter } from '../support/config-center.js'
import { GitFixture } from '../support/git-fixture.js'
import { processesBelow } from '../support/left-over.js'
import { PlatformFixture } from '../support/platform.js'
import { ServerProcess } from '../support/server-process.js'
import { tinyService } from '../support/tiny-service.js'
import { waitFor } from '../support/wait-for.js'

/** A start takes seconds of a core, of which a busy machine gives a thirtieth. */
const PATIENCE = { timeoutMs: 60_000 }

let platform: PlatformFixture
/** Nothing of the platform's, but in its folder and by the same program. */
let bystander: ChildProcess

beforeEach(async () => {
  platform = await PlatformFixture.prepare()
  const forever = ['-e', 'setInterval(() => undefined, 60_000)']
  bystander = spawn(process.execPath, forever, { cwd: platform.directory, stdio: 'ignore' })
})
afterEach(async () => {
  bystander.kill('SIGKILL')
  await platform.remove()
})

async function alone(): Promise<boolean> {
  const left = await processesBelow(platform.directory)
  return left.length === 1 && left[0] === String(bystander.pid)
}

/** With an environment of one service. */
async function startManager(
  center: RunningConfigCenter,
): Promise<{ readonly server: ServerProcess; readonly phase: () => Promise<string> }> {
  const git = await GitFixture.create(path.join(platform.directory, 'git'), 'tiny', tinyService('main'))
  const settings = { instance: `abandoned-${process.pid}`, gateway: { port: 0 } }
  await platform.writeConfig({ repositories: { tiny: git.url }, settings })
  const { token } = await center.admin.createToken({ name: 'env-manager', role: 'deployer' })
  const env = {
    TRIBUTARY_CONFIG: path.join(platform.directory, 'tributary.config.yaml'),
    TRIBUTARY_DATA_DIR: platform.data,
    TRIBUTARY_PORT: '0',
    TRIBUTARY_URL: center.url,
    TRIBUTARY_TOKEN: token,
  }
  const { server, url } = await ServerProcess.start({
    service: 'env-manager',
    env,
    readyMessage: 'env-manager is ready',
  })
  const client = createEnvManagerClient({ baseUrl: url, token })
  return { server, phase: async () => (await client.getEnvironment('integration')).phase }
}

describe('servers of a test whose process has gone', () => {
  it('end by themselves: a platform with all its services', async () => {
    await ensureBuilt('cli')
    const git = await GitFixture.create(path.join(platform.directory, 'git'), 'tiny', tinyService('main'))
    await platform.writeConfig({ repositories: { tiny: git.url } })
    await platform.start()
    await platform.untilReady('integration')
    expect((await processesBelow(platform.directory)).length).toBeGreaterThan(2)
    platform.abandon()
    await waitFor('the platform and its service to be gone', alone, PATIENCE)
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull()
  })

  it('end by themselves: an env-manager, and the services that would outlive it', async () => {
    await ensureBuilt('services/env-manager')
    const center = await runConfigCenter()
    try {
      const manager = await startManager(center)
      await waitFor('integration to be ready', async () => (await manager.phase()) === 'ready', PATIENCE)
      expect((await processesBelow(platform.data)).length).toBeGreaterThan(0)
      manager.server.abandon()
      await waitFor('the env-manager and its service to be gone', alone, PATIENCE)
      expect(bystander.exitCode ?? bystander.signalCode).toBeNull()
    } finally {
      await center.stop()
    }
  })

  it('end by themselves: a config center', async () => {
    await ensureBuilt('services/config-center')
    const env = { TRIBUTARY_PORT: '0', TRIBUTARY_DATA_DIR: platform.data }
    const readyMessage = 'config center is ready'
    const { server, url } = await ServerProcess.start({ service: 'config-center', env, readyMessage })
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    server.abandon()
    await waitFor('the config center to be gone', () => server.hasEnded)
    await expect(fetch(`${url}/readyz`)).rejects.toThrow()
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull()
  })
})
