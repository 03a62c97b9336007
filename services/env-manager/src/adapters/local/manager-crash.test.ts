import { spawn, type ChildProcess } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from '@tributary/testkit'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { PlatformResource, WorkloadSpec, WorkloadStatus } from '../../ports/platform.js'
import { until } from '../../ports/platform-contract.test-support.js'
import { LocalWorld } from './local-world.test-support.js'

/** The built adapters: a manager that compiles its own sources takes seconds to begin. */
const BUILT = new URL('../../../dist/adapters/', import.meta.url).href
const SCRIPT = fileURLToPath(new URL('manager-process.test-support.mjs', import.meta.url))

interface ManagerEvent {
  readonly recorded?: PlatformResource
  readonly logged?: string
  readonly healthy?: WorkloadStatus
}

/** A manager in its own process: real code, real files, and a real SIGKILL. */
class Manager {
  readonly events: ManagerEvent[] = []
  private readonly errors: string[] = []
  private readonly child: ChildProcess

  constructor(world: LocalWorld, spec: WorkloadSpec, hangAt?: string) {
    const { dataDirectory, instance } = world.options
    const given = { built: BUILT, git: { dataDirectory }, platform: { dataDirectory, instance }, spec, hangAt }
    this.child = spawn(process.execPath, [SCRIPT, JSON.stringify(given)], { stdio: ['ignore', 'pipe', 'pipe'] })
    if (this.child.stdout !== null)
      createInterface({ input: this.child.stdout }).on('line', (line) => this.events.push(JSON.parse(line)))
    this.child.stderr?.on('data', (chunk: Buffer) => this.errors.push(chunk.toString()))
  }

  async sees(matches: (event: ManagerEvent) => boolean): Promise<ManagerEvent> {
    await until(() => this.events.some(matches) || this.child.exitCode !== null)
    const event = this.events.find(matches)
    if (event === undefined) throw new Error(`the manager ended: ${this.errors.join('')}`)
    return event
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const ended = new Promise((resolve) => this.child.once('exit', resolve))
    this.child.kill('SIGKILL')
    await ended
  }
}

let world: LocalWorld
let manager: Manager | undefined

beforeAll(async () => {
  await ensureBuilt('services/env-manager')
}, 120_000)

beforeEach(async () => {
  world = await LocalWorld.create()
  await world.platform.stop({ workloads: 'keep' })
})
afterEach(async () => {
  await manager?.kill()
  manager = undefined
  await world[Symbol.asyncDispose]()
})

async function runManager(spec: WorkloadSpec): Promise<WorkloadStatus> {
  manager = new Manager(world, spec)
  const { healthy } = await manager.sees((event) => event.healthy !== undefined)
  if (healthy === undefined) throw new Error('unreachable')
  return healthy
}

/** A service that runs without a manager, as a killed one leaves it, without the cost of a process for the manager. */
async function leaveRunning(): Promise<WorkloadStatus> {
  await world.crash()
  const status = await world.run(await world.spec('orders', 'serves'))
  await world.platform.stop({ workloads: 'keep' })
  return status
}

async function pidOf(status: WorkloadStatus): Promise<number> {
  const [endpoint] = status.endpoints
  if (endpoint === undefined) throw new Error('no endpoint')
  return JSON.parse((await world.get(endpoint, '/')).text).pid
}

function stateFile(status: WorkloadStatus): string {
  return join(world.options.dataDirectory, 'environments', status.environment, 'workloads', `${status.workloadId}.json`)
}

describe('after the manager was killed', () => {
  test('a running service goes on, is adopted, watched, and removed whole', async () => {
    const status = await runManager(await world.spec('orders', 'serves'))
    await manager?.kill()
    const pid = await pidOf(status)
    await world.crash()
    const adopted = await world.platform.awaitHealthy(status.workloadId, {
      signal: AbortSignal.timeout(10_000),
      timeoutMs: 10_000,
    })
    expect(adopted).toMatchObject({ endpoints: status.endpoints, restarts: 0 })
    expect(await pidOf(adopted)).toBe(pid)
    process.kill(pid, 'SIGKILL')
    await until(async () => (await world.platform.listWorkloads())[0]?.restarts === 1)
    await world.platform.awaitHealthy(status.workloadId, { signal: AbortSignal.timeout(10_000), timeoutMs: 10_000 })
    expect(await pidOf(adopted)).not.toBe(pid)
    await world.platform.removeSpace('feature-x', world.context)
    expect(await world.platform.listResources()).toEqual([])
  })

  test('a service that died meanwhile is started again at its address', async () => {
    const status = await runManager(await world.spec('orders', 'serves'))
    await manager?.kill()
    process.kill(await pidOf(status), 'SIGKILL')
    await world.crash()
    const resumed = await world.platform.awaitHealthy(status.workloadId, {
      signal: AbortSignal.timeout(10_000),
      timeoutMs: 10_000,
    })
    expect(resumed).toMatchObject({ endpoints: status.endpoints, restarts: 1 })
  })

  test('a service whose start was not yet recorded is found by its marker and ended', async () => {
    const status = await leaveRunning()
    const record = JSON.parse(await readFile(stateFile(status), 'utf8'))
    await writeFile(stateFile(status), JSON.stringify({ ...record, launched: false, process: null }))
    await world.crash()
    expect(await world.livePids()).toEqual([])
    expect((await world.platform.listResources()).map(({ kind }) => kind)).toEqual(['space'])
  })

  test('a service that no record knows is ended, a damaged record included', async () => {
    const status = await leaveRunning()
    await writeFile(stateFile(status), '{"format":1,')
    await world.crash()
    expect(await world.livePids()).toEqual([])
    expect(await world.platform.listWorkloads()).toEqual([])
  })

  test('another process that got the same pid is left alone', async () => {
    const status = await leaveRunning()
    process.kill(await pidOf(status), 'SIGKILL')
    const bystander = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], {
      detached: true,
      stdio: 'ignore',
    })
    try {
      const record = JSON.parse(await readFile(stateFile(status), 'utf8'))
      const reused = { pid: bystander.pid, startId: record.process.startId }
      await writeFile(stateFile(status), JSON.stringify({ ...record, process: reused }))
      await world.crash()
      const resumed = await world.platform.awaitHealthy(status.workloadId, {
        signal: AbortSignal.timeout(10_000),
        timeoutMs: 10_000,
      })
      await world.platform.removeSpace('feature-x', world.context)
      expect(resumed.restarts).toBe(1)
      expect({ code: bystander.exitCode, signal: bystander.signalCode }).toEqual({ code: null, signal: null })
    } finally {
      bystander.kill('SIGKILL')
    }
  })

  test.each(['worktree', 'process'])('a deploy that had only recorded its %s leaves nothing behind', async (kind) => {
    manager = new Manager(world, await world.spec('orders', 'serves'), kind)
    await manager.sees(({ recorded }) => recorded?.kind === kind)
    await manager.kill()
    await world.crash()
    await world.platform.removeSpace('feature-x', world.context)
    expect(await world.platform.listResources()).toEqual([])
    const recorded = manager.events.flatMap((event) => event.recorded ?? [])
    expect(recorded.map((resource) => resource.kind)).toContain(kind)
    for (const resource of recorded) expect(await world.platform.verifyGone(resource)).toMatchObject({ gone: true })
  })

  test('a build is ended with all that it started, and done again', async () => {
    const source = await world.publishFiles(
      'orders',
      {
        'orders/build.js': `console.log('building'); require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { detached: true, stdio: 'ignore' }); setInterval(() => undefined, 1000)`,
        'orders/server.js': '',
      },
      { run: { local: { build: 'node build.js', command: 'node server.js' } } },
    )
    manager = new Manager(world, world.specOf('orders', source))
    await manager.sees(({ logged }) => logged === 'building')
    await until(async () => (await world.livePids()).length === 2)
    await manager.kill()
    expect(await world.livePids()).toHaveLength(2)
    await world.crash()
    expect(await world.livePids()).toEqual([])
    const builds = join(world.options.dataDirectory, 'environments', 'feature-x', 'builds')
    expect(await readdir(builds).catch(() => [])).toEqual([])
  })
})
