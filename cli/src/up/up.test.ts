import { createEnvManagerClient } from '@tributary/client'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createRepositories, linkSdk, writePlatformConfig } from '../../../examples/shop/create-repositories.mjs'
import { contextPath, readContextFile } from '../context-file.js'
import { EXIT_CODES } from '../errors.js'
import { runCli } from '../program.js'
import type { CliRuntime } from '../runtime.js'
import { fakeRuntime, until, type FakeRuntime } from '../testing/fake-runtime.test-support.js'

let folder = ''
let running: Up[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-up-'))
  const repositories = await createRepositories({ directory: join(folder, 'repositories') })
  await writePlatformConfig({ file: join(folder, 'tributary.config.yaml'), repositories })
  await linkSdk(folder)
})
afterEach(async () => {
  for (const { sendSignal } of running) sendSignal('SIGTERM')
  await Promise.all(running.map(({ status }) => status))
  running = []
  await rm(folder, { recursive: true, force: true })
})

const ANY_PORTS = ['--port', '0', '--env-manager-port', '0', '--gateway-port', '0']

type Up = FakeRuntime & { readonly status: Promise<number> }

function up(overrides: Partial<CliRuntime> = {}, args: readonly string[] = ANY_PORTS): Up {
  const fake = fakeRuntime({ cwd: folder, env: process.env, fetch, ...overrides })
  const one = { ...fake, status: runCli(['up', ...args], fake.runtime) }
  running.push(one)
  return one
}

async function started(one: Up): Promise<void> {
  let ended = false
  void one.status.then(() => (ended = true))
  await until(() => ended || one.stdout().includes('Tributary is running'), 60_000)
  expect(one.stderr()).toBe('')
}

const isFree = (url: string): Promise<boolean> =>
  fetch(url).then(
    () => false,
    () => true,
  )

// Each starts the whole platform, some twice: three seconds on a machine that does nothing else.
describe('tributary up', { timeout: 120_000 }, () => {
  it('runs everything until Ctrl-C, and other commands find it from the folder', async () => {
    const one = up()
    await started(one)
    const context = await readContextFile(join(folder, '.tributary'))
    expect((await stat(contextPath(join(folder, '.tributary')))).mode & 0o777).toBe(0o600)
    expect((await stat(context?.tokenFile ?? '')).mode & 0o777).toBe(0o600)
    const other = fakeRuntime({ cwd: join(folder, 'repositories'), fetch })
    expect(await runCli(['status'], other.runtime)).toBe(EXIT_CODES.ok)
    expect(other.stdout()).toMatch(/config center +READY/)
    one.sendSignal('SIGINT')
    expect(await one.status).toBe(EXIT_CODES.ok)
    expect(await isFree(`${context?.url}/healthz`)).toBe(true)
    expect(await isFree(`${context?.envManagerUrl}/healthz`)).toBe(true)
    expect(await isFree(context?.gatewayUrl ?? '')).toBe(true)
  })

  it('leaves no service behind, starts them again at the next start, and shows them through its gateway', async () => {
    const ready = async (): Promise<Up> => {
      const one = up()
      await started(one)
      const wait = fakeRuntime({ cwd: folder, fetch })
      const status = await runCli(['env', 'wait', 'integration', '--timeout', '60s'], wait.runtime)
      expect({ status, error: status === EXIT_CODES.ok ? '' : wait.stderr() }).toEqual({
        status: EXIT_CODES.ok,
        error: '',
      })
      return one
    }
    const first = await ready()
    const addresses = await serviceUrls()
    expect(addresses).toHaveLength(4)
    expect(await Promise.all(addresses.map((url) => isFree(url)))).toEqual([false, false, false, false])
    first.sendSignal('SIGTERM')
    expect(await first.status).toBe(EXIT_CODES.ok)
    expect(await Promise.all(addresses.map((url) => isFree(url)))).toEqual([true, true, true, true])
    const second = await ready()
    second.sendSignal('SIGTERM')
    expect(await second.status).toBe(EXIT_CODES.ok)
  })

  it('kills what still runs at the second Ctrl-C', async () => {
    const exits: number[] = []
    const one = up({ exit: (status) => void exits.push(status) })
    await started(one)
    const wait = fakeRuntime({ cwd: folder, fetch })
    expect(await runCli(['env', 'wait', 'integration', '--timeout', '60s'], wait.runtime)).toBe(EXIT_CODES.ok)
    const addresses = await serviceUrls()
    one.sendSignal('SIGINT')
    one.sendSignal('SIGINT')
    await until(() => exits.length > 0)
    expect(exits).toEqual([EXIT_CODES.interrupted])
    expect(one.stderr()).toContain('forced to end: ')
    expect(await Promise.all(addresses.map((url) => isFree(url)))).toEqual([true, true, true, true])
    await one.status
  })

  it('says which port is taken, by whom it is wanted, and which flag names another', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const one = up({}, ['--port', String(port)])
    expect(await one.status).toBe(EXIT_CODES.conflict)
    expect(one.stderr()).toBe(
      `error: cannot use port ${port} for the config center; another program listens there; end that program or choose another port with --port\n`,
    )
    server.close()
  })

  it('says that another up uses the data folder', async () => {
    const first = up()
    await started(first)
    const second = up()
    expect(await second.status).toBe(EXIT_CODES.conflict)
    expect(second.stderr()).toMatch(
      /another `tributary up` uses it; end that one or name another folder with --data\n$/,
    )
    first.sendSignal('SIGINT')
    expect(await first.status).toBe(EXIT_CODES.ok)
  })

  it('names file and line of what is wrong with the configuration', async () => {
    const file = join(folder, 'tributary.config.yaml')
    await writeFile(
      file,
      'apiVersion: tributary/v1\nkind: Platform\nrepositories:\n  - name: shop\n    ulr: /git/shop\n',
    )
    const one = up()
    expect(await one.status).toBe(EXIT_CODES.usage)
    expect(one.stderr()).toContain(`${file}:5:5`)
  })

  it('says what to do when there is no configuration', async () => {
    const one = up({}, ['--config', 'none.yaml'])
    expect(await one.status).toBe(EXIT_CODES.usage)
    expect(one.stderr()).toContain('there is no such file; `tributary init` writes one')
  })
})

/** Readiness addresses of all services of integration, past the gateway. */
async function serviceUrls(): Promise<readonly string[]> {
  const context = await readContextFile(join(folder, '.tributary'))
  const token = (await readFile(context?.tokenFile ?? '', 'utf8')).trim()
  const client = createEnvManagerClient({ baseUrl: context?.envManagerUrl ?? '', token })
  const { nodes } = await client.getTopology('integration')
  return nodes.flatMap(({ endpoints }) => endpoints.map(({ host, port }) => `http://${host}:${port}/readyz`))
}
