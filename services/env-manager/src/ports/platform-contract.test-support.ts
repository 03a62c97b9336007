import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Endpoint } from '@tributary/contract'
import type {
  Platform,
  PlatformCapability,
  PlatformContext,
  PlatformResource,
  WorkloadLogLine,
  WorkloadSpec,
} from './platform.js'

/**
 * Programs that a platform under test must be able to run. All listen on PORT unless said otherwise.
 *
 * | program | behaviour |
 * | --- | --- |
 * | serves | `/readyz` 200; `/` answers `{version, variables, pid}` as JSON; prints `listening` and every path it is asked for |
 * | dies | prints `fatal: no database` and exits with 1 at once |
 * | never-ready | listens; `/readyz` answers 503 |
 */
export type ContractProgram = 'serves' | 'dies' | 'never-ready'

/** What a workload spec says about a program that was put where the platform can run it. */
export type ProgramSource = Pick<WorkloadSpec, 'repository' | 'commitSha' | 'directory' | 'definition' | 'version'>

/** A platform under test and its surroundings. */
export interface PlatformHarness extends AsyncDisposable {
  /** Started. */
  readonly platform: Platform
  /** Environments that nobody else uses, where platforms are shared between tests. */
  readonly environments: { readonly one: string; readonly other: string; readonly base: string }
  /** How long things may take here, in milliseconds. */
  readonly pace: {
    /** Anything that is waited for. */
    readonly deadline: number
    /** From a start until a failing readiness has been seen. */
    readonly readiness: number
  }
  /** Makes the program available as a new commit of a service. */
  publish(service: string, program: ContractProgram): Promise<ProgramSource>
  /** As {@link PlatformHarness.get}, by one connection that must be taken. */
  getOnce(endpoint: Endpoint, path: string): Promise<{ readonly status: number; readonly text: string }>
  /** Asks an endpoint over HTTP. Where a network may not know a new address yet, as often as it takes. */
  get(endpoint: Endpoint, path: string): Promise<{ readonly status: number; readonly text: string }>
  /** Ends the service's process behind the platform's back. */
  kill(endpoint: Endpoint): Promise<void>
  /** The manager dies without a word, and another one starts: a new, started platform on what the old one left. */
  crash(): Promise<Platform>
}

const DEADLINE_MS = 15_000
/** Of a test; generous, because namespaces take their time. */
const TEST_MS = 180_000

/** Runs the contract of {@link Platform}. What only some adapters can do is told by `capabilities`, and tested to be refused by the others. */
export function describePlatform(
  name: string,
  create: () => Promise<PlatformHarness>,
  capabilities: ReadonlySet<PlatformCapability>,
): void {
  describe(`${name} platform`, { timeout: TEST_MS }, () => {
    const world = new ContractWorld(create)
    beforeEach(() => world.open(), TEST_MS)
    afterEach(() => world.close(), TEST_MS)

    describeIdentity(world, capabilities)
    describeDeploys(world, capabilities)
    describeFailures(world)
    describeLogs(world)
    describeRemoval(world)
    describeCrash(world)
    if (capabilities.has('service-names')) describeServiceNames(world)
  })
}

/** State of one test. */
class ContractWorld {
  private opened: PlatformHarness | undefined
  platformNow: Platform | undefined
  recorded: PlatformResource[] = []
  logged: string[] = []
  readonly controller = new AbortController()

  constructor(private readonly create: () => Promise<PlatformHarness>) {}

  async open(): Promise<void> {
    this.opened = await this.create()
    this.platformNow = this.opened.platform
    this.recorded = []
    this.logged = []
  }

  async close(): Promise<void> {
    await this.opened?.[Symbol.asyncDispose]()
    this.opened = undefined
  }

  get harness(): PlatformHarness {
    if (this.opened === undefined) throw new Error('the harness is not open')
    return this.opened
  }

  get environment(): string {
    return this.harness.environments.one
  }

  get platform(): Platform {
    return this.platformNow ?? this.harness.platform
  }

  get context(): PlatformContext {
    return {
      signal: this.controller.signal,
      record: async (resource) => void this.recorded.push(resource),
      log: (text) => void this.logged.push(text),
    }
  }

  async spec(service: string, program: ContractProgram, more: Partial<WorkloadSpec> = {}): Promise<WorkloadSpec> {
    const source = await this.harness.publish(service, program)
    return {
      environment: this.environment,
      generation: 1,
      service,
      environmentVariables: { TRIBUTARY_VERSION: source.version },
      secrets: {},
      ...source,
      ...more,
    }
  }

  /** Deploys into a space that exists, and waits for health. */
  async run(spec: WorkloadSpec): Promise<Awaited<ReturnType<Platform['awaitHealthy']>>> {
    await this.platform.ensureSpace(spec.environment, spec.generation, this.context)
    const { workloadId } = await this.platform.deployWorkload(spec, this.context)
    const status = await this.healthy(workloadId)
    await this.nameOwn(spec.environment)
    return status
  }

  healthy(workloadId: string): ReturnType<Platform['awaitHealthy']> {
    return this.platform.awaitHealthy(workloadId, { signal: this.controller.signal, timeoutMs: this.deadlineMs })
  }

  get deadlineMs(): number {
    return this.harness.pace.deadline
  }

  /** Names every copy in the environment's space, as a deploy does when it has registered them. */
  async nameOwn(environment: string): Promise<void> {
    const own = await this.platform.listWorkloads(environment)
    const names = own.map(({ service, endpoints }) => ({ service, endpoints, state: 'own' as const }))
    await this.platform.applyServiceNames(environment, async () => names, this.context)
  }

  async until(condition: () => Promise<boolean> | boolean): Promise<void> {
    await until(condition, this.deadlineMs)
  }

  async ask(endpoints: readonly Endpoint[], path: string): Promise<{ status: number; text: string }> {
    return this.harness.get(firstOf(endpoints), path)
  }

  async askOnce(endpoints: readonly Endpoint[], path: string): Promise<{ status: number; text: string }> {
    return this.harness.getOnce(firstOf(endpoints), path)
  }
}

function firstOf([first]: readonly Endpoint[]): Endpoint {
  if (first === undefined) throw new Error('the workload has no endpoint')
  return first
}

function describeIdentity(world: ContractWorld, capabilities: ReadonlySet<PlatformCapability>): void {
  test('declares what it can do', () => {
    expect(world.platform.capabilities).toEqual(capabilities)
  })

  test('knows no workloads and no resources at first', async () => {
    expect(await world.platform.listWorkloads()).toEqual([])
    expect(await world.platform.listResources()).toEqual([])
  })

  test('says so when a workload is not there', async () => {
    const waiting = world.platform.awaitHealthy('nothing', { signal: world.controller.signal, timeoutMs: 100 })
    await expect(waiting).rejects.toMatchObject({ code: 'PLATFORM_WORKLOAD_NOT_FOUND' })
  })
}

function describeDeploys(world: ContractWorld, capabilities: ReadonlySet<PlatformCapability>): void {
  test('runs a service until it is healthy and tells where it answers', async () => {
    const spec = await world.spec('orders', 'serves', {
      environmentVariables: { GREETING: 'hello' },
      secrets: { 'session-key': 's3cret' },
    })
    const status = await world.run(spec)
    expect(status).toMatchObject({
      environment: world.environment,
      service: 'orders',
      commitSha: spec.commitSha,
      health: 'healthy',
      message: null,
      restarts: 0,
    })
    const { variables } = JSON.parse((await world.ask(status.endpoints, '/')).text)
    expect(variables).toMatchObject({ GREETING: 'hello', TRIBUTARY_SECRET_SESSION_KEY: 's3cret' })
    expect(world.logged.join('\n')).not.toContain('s3cret')
    expect(await world.platform.listWorkloads(world.environment)).toEqual([
      expect.objectContaining({ workloadId: status.workloadId, health: 'healthy' }),
    ])
  })

  test('answers the running copy when it is asked for the same again', async () => {
    const spec = await world.spec('orders', 'serves')
    const first = await world.run(spec)
    const again = await world.platform.deployWorkload(spec, world.context)
    expect(again).toMatchObject({ workloadId: first.workloadId, endpoints: first.endpoints })
    expect(await world.platform.listWorkloads()).toHaveLength(1)
  })

  test.runIf(capabilities.has('in-place-upgrade'))(
    'replaces the old copy in place, and never answers worse',
    async () => {
      const old = await world.run(await world.spec('orders', 'serves'))
      const spec = await world.spec('orders', 'serves')
      const { workloadId } = await world.platform.deployWorkload(spec, world.context)
      expect(workloadId).not.toBe(old.workloadId)
      const seen: number[] = []
      const upgraded = new AbortController()
      const asking = (async () => {
        while (!upgraded.signal.aborted) seen.push((await world.ask(old.endpoints, '/')).status)
      })()
      await world.healthy(workloadId)
      upgraded.abort()
      await asking
      expect(new Set(seen)).toEqual(new Set([200]))
      await world.platform.retireWorkloads(
        { environment: world.environment, service: 'orders', keepWorkloadId: workloadId },
        world.context,
      )
      expect((await world.platform.listWorkloads()).map((workload) => workload.workloadId)).toEqual([workloadId])
    },
  )

  test.runIf(capabilities.has('in-place-upgrade'))('goes back to the copy that is to be kept', async () => {
    const old = await world.run(await world.spec('orders', 'serves'))
    const { workloadId } = await world.platform.deployWorkload(await world.spec('orders', 'never-ready'), world.context)
    expect((await world.platform.listWorkloads()).map((workload) => workload.workloadId)).toEqual([workloadId])
    // It cannot get ready, so the old one still answers.
    expect((await world.ask(old.endpoints, '/')).status).toBe(200)
    await world.platform.retireWorkloads(
      { environment: world.environment, service: 'orders', keepWorkloadId: old.workloadId },
      world.context,
    )
    expect(await world.healthy(old.workloadId)).toMatchObject({ commitSha: old.commitSha, version: old.version })
    expect((await world.platform.listWorkloads()).map((workload) => workload.workloadId)).toEqual([old.workloadId])
  })

  test.runIf(!capabilities.has('in-place-upgrade'))('keeps the old copy serving until it is retired', async () => {
    const old = await world.run(await world.spec('orders', 'serves'))
    const next = await world.run(await world.spec('orders', 'serves'))
    expect(next.workloadId).not.toBe(old.workloadId)
    expect((await world.ask(old.endpoints, '/')).status).toBe(200)
    await world.platform.retireWorkloads(
      { environment: world.environment, service: 'orders', keepWorkloadId: next.workloadId },
      world.context,
    )
    expect((await world.platform.listWorkloads()).map(({ workloadId }) => workloadId)).toEqual([next.workloadId])
    await expect(world.ask(old.endpoints, '/')).rejects.toThrow(/ECONNREFUSED|ENOTFOUND/)
    expect((await world.ask(next.endpoints, '/')).status).toBe(200)
  })

  test('keeps environments and services apart', async () => {
    const spec = await world.spec('orders', 'serves')
    const [here, there, other] = [
      await world.run(spec),
      await world.run({ ...spec, environment: world.harness.environments.other }),
      await world.run(await world.spec('stock', 'serves')),
    ]
    await world.platform.retireWorkloads({ environment: world.environment, service: 'orders' }, world.context)
    const left = (await world.platform.listWorkloads()).map(({ workloadId }) => workloadId)
    expect(left.sort()).toEqual([there.workloadId, other.workloadId].sort())
    expect(left).not.toContain(here.workloadId)
    expect((await world.ask(there.endpoints, '/')).status).toBe(200)
  })

  test('makes nothing when it cannot be recorded first', async () => {
    const spec = await world.spec('orders', 'serves')
    const refusing: PlatformContext = {
      ...world.context,
      record: () => Promise.reject(new Error('the ledger is full')),
    }
    await expect(world.platform.ensureSpace(world.environment, 1, refusing)).rejects.toThrow('the ledger is full')
    expect(await world.platform.listResources()).toEqual([])
    await world.platform.ensureSpace(world.environment, 1, world.context)
    const empty = await world.platform.listResources()
    await expect(world.platform.deployWorkload(spec, refusing)).rejects.toThrow('the ledger is full')
    expect(await world.platform.listResources()).toEqual(empty)
    expect(await world.platform.listWorkloads()).toEqual([])
  })

  test('makes nothing that was not recorded', async () => {
    await world.run(await world.spec('orders', 'serves'))
    const recorded = new Set(world.recorded.map(({ kind, id }) => `${kind} ${id}`))
    const resources = await world.platform.listResources()
    expect(resources.length).toBeGreaterThan(0)
    for (const { kind, id } of resources) expect(recorded).toContain(`${kind} ${id}`)
  })
}

function describeFailures(world: ContractWorld): void {
  test('fails early, with the last log lines, when a service keeps dying', async () => {
    const spec = await world.spec('orders', 'dies')
    await expect(world.run(spec)).rejects.toMatchObject({
      code: 'PLATFORM_UNHEALTHY',
      message: expect.stringContaining('fatal: no database'),
    })
  })

  test('fails at the deadline when a service never gets ready', async () => {
    const spec = await world.spec('orders', 'never-ready')
    await world.platform.ensureSpace(world.environment, 1, world.context)
    const { workloadId } = await world.platform.deployWorkload(spec, world.context)
    const waiting = world.platform.awaitHealthy(workloadId, {
      signal: world.controller.signal,
      timeoutMs: world.harness.pace.readiness,
    })
    await expect(waiting).rejects.toMatchObject({ code: 'PLATFORM_UNHEALTHY', message: expect.stringContaining('503') })
    expect((await world.platform.listWorkloads())[0]).toMatchObject({
      health: 'starting',
      message: expect.stringContaining('503'),
    })
  })

  test('stops waiting when nobody wants the result any more', async () => {
    const spec = await world.spec('orders', 'never-ready')
    await world.platform.ensureSpace(world.environment, 1, world.context)
    const { workloadId } = await world.platform.deployWorkload(spec, world.context)
    const controller = new AbortController()
    const waiting = world.platform.awaitHealthy(workloadId, { signal: controller.signal, timeoutMs: world.deadlineMs })
    controller.abort()
    await expect(waiting).rejects.toMatchObject({ kind: 'canceled' })
  })

  test('starts a service again that died, at the same address, and tells that it changed', async () => {
    const status = await world.run(await world.spec('orders', 'serves'))
    const [endpoint] = status.endpoints
    if (endpoint === undefined) throw new Error('no endpoint')
    const watching = new AbortController()
    const changes = world.platform.watchChanges({ signal: watching.signal })[Symbol.asyncIterator]()
    await world.harness.kill(endpoint)
    expect(await changes.next()).toEqual({ done: false, value: world.environment })
    await world.until(async () => (await world.platform.listWorkloads())[0]?.restarts === 1)
    const recovered = await world.platform.awaitHealthy(status.workloadId, {
      signal: watching.signal,
      timeoutMs: world.deadlineMs,
    })
    expect(recovered).toMatchObject({ endpoints: status.endpoints, restarts: 1, health: 'healthy' })
    watching.abort()
    await world.until(async () => (await changes.next()).done === true)
  })
}

function describeLogs(world: ContractWorld): void {
  test('reads the last lines of a service', async () => {
    const status = await world.run(await world.spec('orders', 'serves'))
    await world.ask(status.endpoints, '/one')
    await world.ask(status.endpoints, '/two')
    await world.until(async () =>
      (await read(world, { tailLines: 100, follow: false })).some(({ text }) => text.includes('/two')),
    )
    const lines = await read(world, { tailLines: 2, follow: false })
    expect(lines).toHaveLength(2)
    expect(await read(world, { tailLines: 0, follow: false })).toEqual([])
  })

  test('follows what a service prints until it is told to stop', async () => {
    const status = await world.run(await world.spec('orders', 'serves'))
    const controller = new AbortController()
    const lines = world.platform.readLogs(
      { environment: world.environment, service: 'orders' },
      { tailLines: 100, follow: true, signal: controller.signal },
    )
    const seen: string[] = []
    const reading = (async () => {
      for await (const line of lines) {
        seen.push(line.text)
        if (line.text.includes('/last')) controller.abort()
      }
    })()
    await world.ask(status.endpoints, '/first')
    await world.ask(status.endpoints, '/last')
    await reading
    expect(seen.filter((text) => /\/(first|last)/.test(text))).toHaveLength(2)
  })
}

function describeRemoval(world: ContractWorld): void {
  test('removes a space with all that is in it, and proves it', async () => {
    const orders = await world.run(await world.spec('orders', 'serves'))
    await world.run(await world.spec('stock', 'serves'))
    for (const resource of await world.platform.listResources())
      expect((await world.platform.verifyGone(resource)).gone).toBe(false)
    await world.platform.removeSpace(world.environment, world.context)
    expect(await world.platform.listWorkloads()).toEqual([])
    expect(await world.platform.listResources()).toEqual([])
    for (const resource of world.recorded) {
      const { gone, evidence } = await world.platform.verifyGone(resource)
      expect({ resource, gone }).toEqual({ resource, gone: true })
      expect(evidence.length).toBeGreaterThan(10)
    }
    await expect(world.ask(orders.endpoints, '/')).rejects.toThrow(/ECONNREFUSED|ENOTFOUND/)
  })

  test('removes what is not there without complaint', async () => {
    await world.platform.removeSpace('never-was', world.context)
    await world.platform.retireWorkloads({ environment: 'never-was', service: 'orders' }, world.context)
    expect(await world.platform.listResources()).toEqual([])
  })

  test('removes resources one by one', async () => {
    await world.run(await world.spec('orders', 'serves'))
    for (const resource of await world.platform.listResources())
      await world.platform.removeResource(resource, world.context)
    for (const resource of await world.platform.listResources())
      await world.platform.removeResource(resource, world.context)
    expect(await world.platform.listResources()).toEqual([])
    for (const resource of world.recorded)
      expect(await world.platform.verifyGone(resource)).toMatchObject({ gone: true })
  })

  test('does not touch what is not its own', async () => {
    const foreign: PlatformResource = { kind: 'no-such-kind', id: 'x', environment: world.environment }
    await expect(world.platform.removeResource(foreign, world.context)).rejects.toMatchObject({
      code: 'PLATFORM_RESOURCE_FOREIGN',
    })
  })
}

function describeCrash(world: ContractWorld): void {
  test('finds its workloads again after the manager has died, without touching them', async () => {
    const status = await world.run(await world.spec('orders', 'serves'))
    const before = JSON.parse((await world.ask(status.endpoints, '/')).text)
    world.platformNow = await world.harness.crash()
    const adopted = await world.platform.awaitHealthy(status.workloadId, {
      signal: world.controller.signal,
      timeoutMs: world.deadlineMs,
    })
    expect(adopted).toMatchObject({
      endpoints: status.endpoints,
      version: status.version,
      restarts: 0,
      startedAt: status.startedAt,
    })
    expect(JSON.parse((await world.ask(status.endpoints, '/')).text).pid).toBe(before.pid)
    await world.platform.removeSpace(world.environment, world.context)
    for (const resource of world.recorded)
      expect(await world.platform.verifyGone(resource)).toMatchObject({ gone: true })
  })
}

async function read(
  world: ContractWorld,
  options: { readonly tailLines: number; readonly follow: boolean },
): Promise<WorkloadLogLine[]> {
  const lines: WorkloadLogLine[] = []
  const target = { environment: world.environment, service: 'orders' }
  for await (const line of world.platform.readLogs(target, { ...options, signal: world.controller.signal }))
    lines.push(line)
  return lines
}

/** Looks until the condition holds. Rejects after a deadline. */
export async function until(condition: () => Promise<boolean> | boolean, deadlineMs = DEADLINE_MS): Promise<void> {
  const deadline = performance.now() + deadlineMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`the condition did not hold within ${deadlineMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function describeServiceNames(world: ContractWorld): void {
  test('lets a name lead to the owner of an inherited service, then to the own copy, and back', async () => {
    const base = { ...(await world.spec('orders', 'serves')), environment: world.harness.environments.base }
    const inherited = await world.run(base)
    await world.platform.ensureSpace(world.environment, 1, world.context)
    const { endpoints } = inherited
    const [endpoint] = endpoints
    if (endpoint === undefined) throw new Error('no endpoint')
    const bare = {
      ...endpoint,
      host: endpoint.host.replace(world.harness.environments.base, world.environment),
      port: 80,
    }
    const ask = async (): Promise<unknown> => JSON.parse((await world.harness.get(bare, '/')).text)
    const names = [{ service: 'orders', state: 'inherited' as const, endpoints }]
    await world.platform.applyServiceNames(world.environment, async () => names, world.context)
    expect(await ask()).toMatchObject({ version: inherited.version })
    const own = await world.run(await world.spec('orders', 'serves'))
    expect(await ask()).toMatchObject({ version: own.version })
    await world.platform.applyServiceNames(world.environment, async () => names, world.context)
    expect(await ask()).toMatchObject({ version: inherited.version })
    await world.platform.applyServiceNames(world.environment, async () => [], world.context)
    await expect(ask()).rejects.toThrow('ENOTFOUND')
  })

  test('proves the address of a copy before anybody is told of it: it answers at the first attempt', async () => {
    const base = { ...(await world.spec('orders', 'serves')), environment: world.harness.environments.base }
    const { endpoints } = await world.run(base)
    await world.platform.ensureSpace(world.environment, 1, world.context)
    const inherited = [{ service: 'orders', state: 'inherited' as const, endpoints }]
    await world.platform.applyServiceNames(world.environment, async () => inherited, world.context)
    const spec = await world.spec('orders', 'serves')
    const workload = await world.platform.deployWorkload(spec, world.context)
    await world.healthy(workload.workloadId)
    const copies = [{ service: 'orders', state: 'own' as const, endpoints: workload.endpoints }]
    const open = { environment: world.environment, copies }
    const answer = await world.platform.openAddresses(
      open,
      async (unreached) => {
        expect([...unreached]).toEqual([])
        return world.askOnce(workload.endpoints, '/')
      },
      world.context,
    )
    expect(JSON.parse(answer.text)).toMatchObject({ version: spec.version })
  })

  test('makes no names where there is no space', async () => {
    const endpoints = [{ name: 'http', protocol: 'http' as const, host: 'orders.base.svc.cluster.local', port: 8080 }]
    const names = [{ service: 'orders', state: 'inherited' as const, endpoints }]
    await world.platform.applyServiceNames('never-was', async () => names, world.context)
    expect(await world.platform.listResources()).toEqual([])
  })
}
