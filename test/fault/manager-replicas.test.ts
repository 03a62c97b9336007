import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { createEnvManagerClient } from '@tributary/client'
import type { Environment } from '@tributary/contract'
import { describeWithEtcd, EtcdServer } from '@tributary/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { GitFixture } from '../support/git-fixture.js'
import { processesBelow } from '../support/left-over.js'
import { PlatformFixture } from '../support/platform.js'
import { ServerProcess } from '../support/server-process.js'
import { tinyService } from '../support/tiny-service.js'
import { waitFor } from '../support/wait-for.js'

const INSTANCE = `replicas-${process.pid}`
const READY = 'env-manager is ready'
const STANDBY = 'env-manager is a standby'
/** The promise, and what a busy machine may add to the start of a process that has loaded already. */
const TAKEOVER_MS = 10_000
/** Has each SIGUSR2 set the wall clock hours ahead, hours back, and right again. */
const SHIFTING_CLOCK = `--import=${pathToFileURL(path.join(import.meta.dirname, '../support/shifting-clock.mjs')).href}`

let etcd: EtcdServer
let folder: PlatformFixture
let git: GitFixture
let center: { readonly server: ServerProcess; readonly url: string }
let token: string
const servers: ServerProcess[] = []
const managers: ServerProcess[] = []

/** A tiny service that listens only once the file `go` is there: its deploy is under way for as long as the test wants. */
function patientService(text: string, go: string): Record<string, string> {
  const tiny = tinyService(text)
  const wait = `import { existsSync } from 'node:fs'\nwhile (!existsSync(${JSON.stringify(go)})) await new Promise((resolve) => setTimeout(resolve, 20))\n`
  return { ...tiny, 'server.mjs': wait + (tiny['server.mjs'] ?? '') }
}

function storeEnv(): Record<string, string> {
  return { TRIBUTARY_STORE: 'etcd', TRIBUTARY_ETCD_ENDPOINTS: etcd.endpoint, TRIBUTARY_PORT: '0' }
}

function launchManager(env: Readonly<Record<string, string>> = {}): ServerProcess {
  const server = ServerProcess.launch({
    service: 'env-manager',
    env: {
      ...storeEnv(),
      TRIBUTARY_CONFIG: path.join(folder.directory, 'tributary.config.yaml'),
      // One for both: the processes of environments belong to this machine, and whoever leads looks after them.
      TRIBUTARY_DATA_DIR: path.join(folder.data, 'env-manager'),
      TRIBUTARY_URL: center.url,
      TRIBUTARY_TOKEN: token,
      ...env,
    },
  })
  servers.push(server)
  managers.push(server)
  return server
}

async function untilLogged(server: ServerProcess, message: string, timeoutMs = 30_000): Promise<void> {
  await waitFor(
    `"${message}"`,
    async () => {
      if (!server.has(message)) throw new Error(server.output.slice(-1_000))
      return true
    },
    { timeoutMs },
  )
}

async function integration(server: ServerProcess): Promise<Environment> {
  const client = createEnvManagerClient({ baseUrl: await server.urlIn(READY), token })
  return client.getEnvironment('integration')
}

async function untilDeployed(server: ServerProcess, commit: string): Promise<Environment> {
  return waitFor(
    'the environment to be ready',
    async () => {
      const environment = await integration(server)
      if (environment.phase === 'ready' && environment.services[0]?.deployedCommit === commit) return environment
      throw new Error(JSON.stringify(environment))
    },
    { timeoutMs: 30_000 },
  )
}

/** One that was killed is listed until its lease ends. */
async function untilListed(leader: ServerProcess | undefined, wanted: readonly string[]): Promise<void> {
  const client = createEnvManagerClient({ baseUrl: (await leader?.urlIn(READY)) ?? '', token })
  await waitFor(
    `the replicas ${wanted.join(', ')}`,
    async () => {
      const { replicas } = await client.getStatus()
      const roles = replicas.map(({ role }) => role)
      if (roles.join() === wanted.join()) return true
      throw new Error(JSON.stringify(replicas))
    },
    { timeoutMs: 30_000 },
  )
}

describeWithEtcd('several env-managers on one store', () => {
  beforeAll(async () => {
    etcd = await EtcdServer.start()
    folder = await PlatformFixture.prepare()
    const go = path.join(folder.directory, 'go')
    git = await GitFixture.create(path.join(folder.directory, 'git'), 'tiny', patientService('first', go))
    await folder.writeConfig({
      repositories: { tiny: git.url },
      settings: { instance: INSTANCE, pollSeconds: 1, drainSeconds: 0, gateway: { port: 0 } },
    })
    const tokenFile = path.join(folder.directory, 'admin.token')
    const env = { ...storeEnv(), TRIBUTARY_ADMIN_TOKEN_FILE: tokenFile }
    center = await ServerProcess.start({ service: 'config-center', env, readyMessage: 'config center is ready' })
    servers.push(center.server)
    token = (await readFile(tokenFile, 'utf8')).trim()
  })

  afterAll(async () => {
    // Environments outlive their managers.
    for (const server of servers) await server.end('SIGKILL')
    for (const pid of await processesBelow(folder.directory)) process.kill(Number(pid), 'SIGKILL')
    await etcd.stop()
    await rm(folder.directory, { recursive: true, force: true })
  })

  it(
    'passes the lead on when the leader dies or sleeps, and lets no deposed one act',
    { timeout: 120_000 },
    async () => {
      const commit = (await git.branches()).get('main') ?? ''
      const first = launchManager()
      await untilLogged(first, READY)
      const second = launchManager()
      await untilLogged(second, STANDBY)
      await waitFor('the run to be under way', async () => {
        const environment = await integration(first)
        if (environment.services[0]?.deployedCommit === commit || environment.phase === 'ready')
          throw new Error('too late')
        await stat(path.join(folder.data, 'env-manager', 'environments', 'integration'))
        return true
      })

      const killedAt = performance.now()
      await first.end('SIGKILL')
      await untilLogged(second, READY)
      expect(performance.now() - killedAt).toBeLessThan(TAKEOVER_MS)
      await writeFile(path.join(folder.directory, 'go'), '')
      await untilDeployed(second, commit)

      const third = launchManager()
      await untilLogged(third, STANDBY)
      second.signal('SIGSTOP')
      await untilLogged(third, READY)
      const next = await git.push('main', tinyService('second'))
      await untilDeployed(third, next)
      second.signal('SIGCONT')
      await waitFor('the deposed leader to end', async () => {
        if (second.exitCode === null) throw new Error('it still runs')
        return true
      })
      expect(second.exitCode).toBe(70)
      expect(await integration(third)).toMatchObject({ phase: 'ready', services: [{ deployedCommit: next }] })
    },
  )

  it('answers from a standby that it is one, is listed by its leader, and names no address of the leader that nobody gave for it', async () => {
    const leader = managers.at(-1)
    const standby = launchManager()
    await untilLogged(standby, STANDBY)
    await untilListed(leader, ['leader', 'standby'])
    const url = /Server listening at (http[^"]+)/.exec(standby.output)?.[1] ?? ''
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    for (const refused of ['/readyz', '/v1/environments']) {
      const answer = await fetch(`${url}${refused}`)
      expect({ status: answer.status, retryAfter: answer.headers.get('retry-after') }).toEqual({
        status: 503,
        retryAfter: '1',
      })
      expect(await answer.json()).toMatchObject({
        error: { code: 'NOT_LEADER', details: { leader: null } },
      })
    }
    expect(await standby.end('SIGTERM')).toBe(0)
    await untilListed(leader, ['leader'])
  })

  it('keeps its leader when wall clocks jump by hours, and that one goes on with its work', async () => {
    for (const manager of managers) await manager.end('SIGTERM')
    const leader = launchManager({ NODE_OPTIONS: SHIFTING_CLOCK })
    await untilLogged(leader, READY)
    const standby = launchManager({ NODE_OPTIONS: SHIFTING_CLOCK })
    await untilLogged(standby, STANDBY)
    for (const jump of ['ahead', 'back', 'right again']) {
      for (const manager of [leader, standby]) manager.signal('SIGUSR2')
      const commit = await git.push('main', tinyService(jump))
      expect(await untilDeployed(leader, commit)).toMatchObject({ phase: 'ready' })
    }
    expect({ leader: leader.exitCode, standby: standby.exitCode }).toEqual({ leader: null, standby: null })
    expect(standby.has(READY)).toBe(false)
  })
})
