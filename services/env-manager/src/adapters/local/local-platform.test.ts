import { createServer } from 'node:net'
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isAppError } from '@tributary/kit'
import type { WorkloadSpec } from '../../ports/platform.js'
import { until } from '../../ports/platform-contract.test-support.js'
import { temporaryFolder } from '../git/git-repository.test-support.js'
import { createLocalPlatform } from './local-platform.js'
import { LocalWorld } from './local-world.test-support.js'
import { planWorkload } from './workload-plan.js'

/** Of this process, because several test runs may share the machine. */
const FIRST_PORT = 30_000 + (process.pid % 600) * 4

let world: LocalWorld

beforeEach(async () => {
  world = await LocalWorld.create()
})
afterEach(() => world[Symbol.asyncDispose]())

function spaceFolder(...parts: string[]): string {
  return join(world.options.dataDirectory, 'environments', 'feature-x', ...parts)
}

async function deploy(spec: WorkloadSpec): Promise<string> {
  await world.platform.ensureSpace(spec.environment, 1, world.context)
  return (await world.platform.deployWorkload(spec, world.context)).workloadId
}

async function failureOf(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isAppError(error)) throw new Error(`expected an AppError, got ${String(error)}`)
  return error
}

describe('a service', () => {
  test('sees a small environment of its own and nothing of the manager’s', async () => {
    const spec = await world.spec('orders', 'serves', {
      environmentVariables: { TRIBUTARY_SERVICE: 'orders', PORT: '1' },
    })
    const { endpoints } = await world.run(spec)
    const [endpoint] = endpoints
    if (endpoint === undefined) throw new Error('no endpoint')
    const { variables } = JSON.parse((await world.get(endpoint, '/')).text)
    expect(variables).toMatchObject({
      PORT: String(endpoint.port),
      PORT_HTTP: String(endpoint.port),
      HOST: '127.0.0.1',
      TRIBUTARY_SERVICE: 'orders',
    })
    const allowed = /^(PATH|HOME|LANG|LC_ALL|TZ|TMPDIR|NODE_EXTRA_CA_CERTS|HOST|PORT(_.*)?|TRIBUTARY_.*)$/
    expect(Object.keys(variables).filter((name) => !allowed.test(name))).toEqual([])
  })

  test('gets its arguments as words and its version, and no shell reads them', async () => {
    const source = await world.publish('orders', 'serves')
    const command = `node server.js "two words" '$(touch pwned)' {version} *`
    const spec = world.specOf('orders', {
      ...source,
      definition: { ...source.definition, run: { local: { command } } },
    })
    const { endpoints, version } = await world.run(spec)
    const [endpoint] = endpoints
    if (endpoint === undefined) throw new Error('no endpoint')
    expect(JSON.parse((await world.get(endpoint, '/')).text).arguments).toEqual([
      'two words',
      '$(touch pwned)',
      version,
      '*',
    ])
  })

  test.each([
    ['needs a shell', 'npm ci && node server.js', 'PLATFORM_COMMAND_INVALID'],
    ['is not there', 'no-such-program', 'PLATFORM_START_FAILED'],
    ['may not be executed', './server.js', 'PLATFORM_START_FAILED'],
  ])('whose command %s is one clear error and leaves nothing', async (_, command, code) => {
    const source = await world.publish('orders', 'serves')
    const spec = world.specOf('orders', {
      ...source,
      definition: { ...source.definition, run: { local: { command } } },
    })
    expect((await failureOf(deploy(spec))).code).toBe(code)
    expect(await world.platform.listWorkloads()).toEqual([])
    expect(await world.livePids()).toEqual([])
    expect(await readdir(spaceFolder('workloads')).catch(() => [])).toEqual([])
    expect((await world.platform.listResources()).map(({ kind }) => kind)).toEqual(['space'])
  })

  test('that has only an image is refused', async () => {
    const source = await world.publish('orders', 'serves')
    const spec = world.specOf('orders', {
      ...source,
      definition: { ...source.definition, run: { image: 'x:{version}' } },
    })
    expect((await failureOf(deploy(spec))).code).toBe('PLATFORM_UNSUPPORTED')
  })

  test('in a folder that leads out of the repository is refused', async () => {
    await symlink('/', join(world.repository.path, 'out'))
    const source = await world.publish('orders', 'serves')
    for (const directory of ['out', '../..', 'missing']) {
      const { code } = await failureOf(deploy(world.specOf('orders', { ...source, directory })))
      expect(code).toBe('PLATFORM_START_FAILED')
    }
  })

  test('with a secret that no environment can hold is refused without repeating it', async () => {
    const spec = await world.spec('orders', 'serves', { secrets: { key: 'hunter2\0' } })
    const { message } = await failureOf(deploy(spec))
    expect(message).toContain('TRIBUTARY_SECRET_KEY')
    expect(message).not.toContain('hunter2')
  })

  test('with other variables is another copy', async () => {
    const spec = await world.spec('orders', 'serves')
    const first = await deploy(spec)
    const second = await deploy({ ...spec, environmentVariables: { TRIBUTARY_TOKEN: 'new' } })
    expect(second).not.toBe(first)
    expect(await deploy(spec)).toBe(first)
  })

  test('that gave up is started afresh when it is deployed again', async () => {
    const spec = await world.spec('orders', 'dies')
    const workloadId = await deploy(spec)
    const waiting = { signal: AbortSignal.timeout(10_000), timeoutMs: 10_000 }
    const { message } = await failureOf(world.platform.awaitHealthy(workloadId, waiting))
    expect(message).toMatch(/exited with code 1 three times in \d+ s: fatal: no database/)
    expect((await world.platform.listWorkloads())[0]).toMatchObject({
      health: 'unhealthy',
      message: expect.stringContaining('fatal: no database'),
    })
    expect(await deploy(spec)).toBe(workloadId)
    expect((await world.platform.listWorkloads())[0]).toMatchObject({ health: 'starting' })
  })

  test('that finds its port taken gets another one before anybody knows its address', async () => {
    const source = await world.publishFiles(
      'orders',
      {
        'orders/server.js': `
          const fs = require('node:fs')
          if (!fs.existsSync('second')) { fs.writeFileSync('second', process.env.PORT); console.error('Error: listen EADDRINUSE: address already in use'); process.exit(1) }
          require('node:http').createServer((_, response) => response.end(fs.readFileSync('second'))).listen(Number(process.env.PORT), process.env.HOST)`,
      },
      { run: { local: { command: 'node server.js' } } },
    )
    const status = await world.run(world.specOf('orders', source))
    const [endpoint] = status.endpoints
    if (endpoint === undefined) throw new Error('no endpoint')
    const firstPort = Number((await world.get(endpoint, '/')).text)
    expect(endpoint.port).not.toBe(firstPort)
    expect(status.restarts).toBe(0)
  })
})

describe('builds', () => {
  const build = `require('node:fs').appendFileSync('../built', process.env.TRIBUTARY_SECRET_KEY ?? 'once'); console.log('compiled')`
  const server = `require('node:http').createServer((_, response) => response.end(require('node:fs').readFileSync('../built'))).listen(Number(process.env.PORT))`

  test('are done once for a checkout that several services share', async () => {
    const files = { 'a/server.js': server, 'b/server.js': server, 'a/build.js': build, 'b/build.js': build }
    const definition = { run: { local: { build: 'node build.js', command: 'node server.js' } } }
    const source = await world.publishFiles('a', files, definition)
    const secrets = { key: 'not for builds' }
    const [a, b] = [
      world.specOf('a', source, { secrets }),
      world.specOf('b', { ...source, directory: 'b' }, { secrets }),
    ]
    await world.run(a)
    await world.run({ ...a, environmentVariables: { AGAIN: '1' } })
    const status = await world.run(b)
    const [endpoint] = status.endpoints
    if (endpoint === undefined) throw new Error('no endpoint')
    expect((await world.get(endpoint, '/')).text).toBe('onceonce')
    expect(world.logged).toContain('compiled')
    expect(await readdir(spaceFolder('checkouts'))).toHaveLength(1)
    await world.platform.retireWorkloads({ environment: 'feature-x', service: 'a' }, world.context)
    expect(await readdir(spaceFolder('checkouts'))).toHaveLength(1)
    await world.platform.retireWorkloads({ environment: 'feature-x', service: 'b' }, world.context)
    expect(await readdir(spaceFolder('checkouts'))).toEqual([])
  })

  test('that fail say so with their last lines, and are tried again', async () => {
    const files = {
      'orders/build.js': `for (let i = 0; i < 50; i += 1) console.log('step ' + i); process.exit(3)`,
      'orders/server.js': '',
    }
    const source = await world.publishFiles('orders', files, {
      run: { local: { build: 'node build.js', command: 'node server.js' } },
    })
    for (const _ of [1, 2]) {
      const { code, message } = await failureOf(deploy(world.specOf('orders', source)))
      expect(code).toBe('PLATFORM_BUILD_FAILED')
      expect(message).toContain('ended with 3')
      expect(message).toContain('step 49')
      expect(message).not.toContain('step 29')
    }
    expect(world.logged.filter((line) => line === 'step 0')).toHaveLength(2)
  })

  test('that nobody wants any more are stopped', async () => {
    const files = {
      'orders/build.js': `console.log('busy'); setInterval(() => undefined, 1000)`,
      'orders/server.js': '',
    }
    const source = await world.publishFiles('orders', files, {
      run: { local: { build: 'node build.js', command: 'node server.js' } },
    })
    const controller = new AbortController()
    await world.platform.ensureSpace('feature-x', 1, world.context)
    const deploying = failureOf(
      world.platform.deployWorkload(world.specOf('orders', source), { ...world.context, signal: controller.signal }),
    )
    await until(() => world.logged.includes('busy'))
    controller.abort()
    expect((await deploying).code).toBe('PLATFORM_CANCELED')
    expect(await world.livePids()).toEqual([])
    expect(await world.platform.listWorkloads()).toEqual([])
  })
})

describe('removal', () => {
  test('kills what ignores the polite request', async () => {
    const status = await world.run(await world.spec('orders', 'ignores-sigterm'))
    expect(await world.livePids()).toHaveLength(1)
    await world.platform.retireWorkloads({ environment: 'feature-x', service: 'orders' }, world.context)
    expect(await world.livePids()).toEqual([])
    expect(status.health).toBe('healthy')
  })

  test('takes grandchildren along, also those that left the process group', async () => {
    await world.run(await world.spec('orders', 'has-grandchildren'))
    await until(async () => (await world.livePids()).length === 3)
    await world.platform.removeSpace('feature-x', world.context)
    expect(await world.livePids()).toEqual([])
  })

  test('finds an orphan that nobody looks after, by its marker', async () => {
    await world.run(await world.spec('orders', 'has-grandchildren'))
    await until(async () => (await world.livePids()).length === 3)
    await rm(spaceFolder('workloads'), { recursive: true })
    const other = createLocalPlatform(world.options)
    const orphans = (await other.listResources()).filter(({ kind }) => kind === 'process')
    expect(orphans).toHaveLength(1)
    await world.platform.stop({ workloads: 'keep' })
    for (const orphan of orphans) {
      expect(await other.verifyGone(orphan)).toMatchObject({ gone: false })
      await other.removeResource(orphan, world.context)
      expect(await other.verifyGone(orphan)).toMatchObject({
        gone: true,
        evidence: expect.stringMatching(/^none of \d+ processes bears /),
      })
    }
  })

  test('refuses to touch what lies outside', async () => {
    for (const resource of [
      { kind: 'worktree', id: '/etc', environment: 'x' },
      { kind: 'worktree', id: join(world.options.dataDirectory, 'environments', '..', 'mirrors'), environment: 'x' },
      { kind: 'space', id: '../mirrors', environment: 'x' },
      { kind: 'process', id: 'someone-else/feature-x/orders/1', environment: 'x' },
    ]) {
      expect((await failureOf(world.platform.removeResource(resource, world.context))).code).toBe(
        'PLATFORM_RESOURCE_FOREIGN',
      )
    }
  })

  test('gives ports back and never hands one out twice', async () => {
    const small = await LocalWorld.create({ portRange: { first: FIRST_PORT, last: FIRST_PORT + 2 } })
    try {
      const spec = await small.spec('orders', 'serves')
      const statuses = [
        await small.run(spec),
        await small.run({ ...spec, environment: 'b' }),
        await small.run({ ...spec, environment: 'c' }),
      ]
      expect(new Set(statuses.map(({ endpoints }) => endpoints[0]?.port)).size).toBe(3)
      await small.platform.ensureSpace('d', 1, small.context)
      const full = await failureOf(small.platform.deployWorkload({ ...spec, environment: 'd' }, small.context))
      expect(full.code).toBe('PLATFORM_PORTS_EXHAUSTED')
      await small.platform.retireWorkloads({ environment: 'b', service: 'orders' }, small.context)
      expect((await small.run({ ...spec, environment: 'd' })).health).toBe('healthy')
    } finally {
      await small[Symbol.asyncDispose]()
    }
  })

  test('keeps the workloads of a manager that stops in order, or ends them and starts them again later', async () => {
    const { workloadId, endpoints } = await world.run(await world.spec('orders', 'serves'))
    await world.platform.stop({ workloads: 'stop' })
    expect(await world.livePids()).toEqual([])
    await world.crash()
    const again = await world.platform.awaitHealthy(workloadId, {
      signal: AbortSignal.timeout(10_000),
      timeoutMs: 10_000,
    })
    expect(again.endpoints).toEqual(endpoints)
  })
})

describe('logs', () => {
  test('are bounded and still read in order across the bound', async () => {
    const bounded = await LocalWorld.create({ maxLogBytes: 30_000 })
    try {
      const status = await bounded.run(await bounded.spec('orders', 'chatters'))
      const [endpoint] = status.endpoints
      if (endpoint === undefined) throw new Error('no endpoint')
      const log = join(bounded.options.dataDirectory, 'environments/feature-x/logs', `${status.workloadId}.log`)
      const sizes = async (): Promise<number[]> =>
        Promise.all(
          [log, `${log}.1`].map((path) =>
            stat(path).then(
              ({ size }) => size,
              () => 0,
            ),
          ),
        )
      for (let asked = 0; asked < 4; asked += 1) await bounded.get(endpoint, '/')
      await until(async () => (await sizes())[1] !== 0 && Number((await sizes())[0]) <= 30_000)
      await bounded.get(endpoint, '/')
      await until(
        async () =>
          (await lastNumbers(bounded, 1))[0] !== undefined && Number((await lastNumbers(bounded, 1))[0]) % 200 === 0,
      )
      const numbers = await lastNumbers(bounded, 250)
      expect(numbers).toHaveLength(250)
      expect(numbers).toEqual(numbers.map((_, index) => Number(numbers[0]) + index))
      expect((await sizes()).every((size) => size <= 60_000)).toBe(true)
    } finally {
      await bounded[Symbol.asyncDispose]()
    }
  })

  test('of a service that never ran are refused', async () => {
    const options = { tailLines: 1, follow: false, signal: AbortSignal.timeout(1000) }
    const logs = world.platform.readLogs({ environment: 'feature-x', service: 'nothing' }, options)
    const lines = logs[Symbol.asyncIterator]()
    expect((await failureOf(lines.next())).code).toBe('PLATFORM_WORKLOAD_NOT_FOUND')
  })

  test('of a copy that was retired stay readable, and only a few of them are kept', async () => {
    for (let copy = 0; copy < 5; copy += 1) {
      await deploy(await world.spec('orders', 'dies'))
      await until(async () => Number((await world.platform.listWorkloads())[0]?.restarts) > 0)
      await world.platform.retireWorkloads({ environment: 'feature-x', service: 'orders' }, world.context)
    }
    const lines = world.platform.readLogs(
      { environment: 'feature-x', service: 'orders' },
      { tailLines: 1, follow: true, signal: AbortSignal.timeout(5000) },
    )
    const texts: string[] = []
    for await (const { text } of lines) texts.push(text)
    expect(texts).toEqual(['fatal: no database'])
    expect(await readdir(spaceFolder('logs'))).toHaveLength(3)
  })

  test('are followed into the next copy of the service', async () => {
    await world.run(await world.spec('orders', 'serves'))
    const controller = new AbortController()
    const seen: string[] = []
    const lines = world.platform.readLogs(
      { environment: 'feature-x', service: 'orders' },
      { tailLines: 100, follow: true, signal: controller.signal },
    )
    const reading = (async () => {
      for await (const line of lines) seen.push(line.text)
    })()
    await until(() => seen.includes('listening'))
    const next = await world.run(await world.spec('orders', 'serves'))
    await world.platform.retireWorkloads(
      { environment: 'feature-x', service: 'orders', keepWorkloadId: next.workloadId },
      world.context,
    )
    await until(() => seen.filter((text) => text === 'listening').length === 2)
    controller.abort()
    await reading
    expect(seen.filter((text) => text === 'listening')).toHaveLength(2)
  })
})

describe('a data folder', () => {
  test('that cannot be made, or written, is one clear error', async () => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'file'), '')
    const options = { ...world.options, dataDirectory: join(folder.path, 'file') }
    expect(() => createLocalPlatform(options)).toThrow(
      expect.objectContaining({ code: 'PLATFORM_DATA_UNWRITABLE', message: expect.not.stringContaining('\n') }),
    )
    const gone = createLocalPlatform({ ...options, dataDirectory: join(folder.path, 'data') })
    await rm(join(folder.path, 'data/environments'), { recursive: true })
    await writeFile(join(folder.path, 'data/environments'), '')
    expect(await failureOf(gone.start({ signal: AbortSignal.timeout(1000) }))).toMatchObject({
      code: 'PLATFORM_DATA_UNWRITABLE',
    })
  })

  test('on a full disk starts nothing', async () => {
    const spec = await world.spec('orders', 'serves')
    await mkdir(spaceFolder('workloads'), { recursive: true })
    await symlink('/dev/full', `${spaceFolder('workloads', planWorkload(spec).workloadId)}.json.tmp`)
    expect((await failureOf(deploy(spec))).code).toBe('PLATFORM_DISK_FULL')
    expect(await world.livePids()).toEqual([])
    expect(await world.platform.listWorkloads()).toEqual([])
  })

  test('keeps secrets to its owner', async () => {
    const { workloadId } = await world.run(await world.spec('orders', 'serves', { secrets: { key: 'hunter2' } }))
    const path = spaceFolder('workloads', `${workloadId}.json`)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readFile(path, 'utf8')).toContain('hunter2')
    expect(JSON.stringify([world.recorded, world.logged, await world.platform.listWorkloads()])).not.toContain(
      'hunter2',
    )
  })
})

test('a port that somebody else listens on is not handed out', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(FIRST_PORT, '127.0.0.1', resolve))
  const narrow = await LocalWorld.create({ portRange: { first: FIRST_PORT, last: FIRST_PORT + 1 } })
  try {
    const { endpoints } = await narrow.run(await narrow.spec('orders', 'serves'))
    expect(endpoints[0]?.port).toBe(FIRST_PORT + 1)
  } finally {
    await narrow[Symbol.asyncDispose]()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function lastNumbers(from: LocalWorld, count: number): Promise<number[]> {
  const numbers: number[] = []
  const options = { tailLines: count, follow: false, signal: AbortSignal.timeout(5000) }
  for await (const { text } of from.platform.readLogs({ environment: 'feature-x', service: 'orders' }, options)) {
    numbers.push(Number(text.split(' ')[1]))
  }
  return numbers
}
