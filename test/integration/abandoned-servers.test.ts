import { spawn, type ChildProcess } from 'node:child_process'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureBuilt } from '@tributary/testkit'
import { GitFixture } from '../support/git-fixture.js'
import { processesBelow } from '../support/left-over.js'
import { PlatformFixture } from '../support/platform.js'
import { ServerProcess } from '../support/server-process.js'
import { tinyService } from '../support/tiny-service.js'
import { waitFor } from '../support/wait-for.js'

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

describe('servers of a test whose process has gone', () => {
  it('end by themselves: a platform with all its services', async () => {
    await ensureBuilt('cli')
    const git = await GitFixture.create(path.join(platform.directory, 'git'), 'tiny', tinyService('main'))
    await platform.writeConfig({ repositories: { tiny: git.url } })
    await platform.start()
    await platform.untilReady('integration')
    expect((await processesBelow(platform.directory)).length).toBeGreaterThan(2)
    platform.abandon()
    await waitFor('the platform and its service to be gone', alone, { timeoutMs: 60_000 })
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull()
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
