import { KeyedMutex } from '@tributary/kit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { failure } from '../errors.js'
import { applyMeshRoutes } from '../operations/apply-mesh-routes.js'
import type { EnvironmentDependencies } from '../operations/dependencies.js'
import { removeOrphans } from '../operations/orphan-scan.js'
import { requestSleep, requestWake } from '../operations/request-sleep.js'
import { getEnvironment } from '../operations/state/environments.js'
import type { ConfigCenter } from '../ports/config-center.js'
import type { PlatformCapability, PlatformContext } from '../ports/platform.js'
import type { RouteChanges } from '../ports/route-changes.js'
import { FakeMesh } from './fake-mesh.test-support.js'
import { NameFollower } from './name-follower.js'
import { definition, eventually, gate, TestBench } from './test-bench.test-support.js'

describe('header routes of a mesh', () => {
  let bench: TestBench
  let mesh: FakeMesh
  const orders = { 'orders/service.yaml': definition('orders'), 'orders/a': '1' }
  const stock = { 'stock/service.yaml': definition('stock'), 'stock/a': '1' }
  const deepBase = { 'tributary.yaml': 'apiVersion: tributary/v1\nkind: Environment\nbase: feature/x\n' }

  beforeEach(async () => {
    bench = await TestBench.open()
    mesh = new FakeMesh()
    bench.git.commit('shop', 'main', { ...orders, ...stock })
    bench.git.commit('shop', 'feature/x', { 'orders/a': '2' }, 'main')
  })
  afterEach(() => bench.close())

  const dependencies = (): EnvironmentDependencies => ({
    ...bench.dependencies(),
    mesh: { routes: mesh, lock: new KeyedMutex() },
  })
  const start = async (): Promise<void> => {
    await bench.start(dependencies())
    await bench.settle()
    await ready('feature-x')
  }
  const ready = (name: string) =>
    bench.atRest(
      () => bench.phase(name),
      (phase) => phase === 'ready',
    )
  const sleep = async (): Promise<void> => {
    await requestSleep(bench.running, 'feature-x')
    bench.manager.mark('feature-x')
    await bench.atRest(
      () => bench.world.copiesOf('feature-x'),
      (copies) => copies.length === 0,
    )
  }
  /** The routes that stand whenever a copy is stopped, from now on. */
  const routesAtStop = (): readonly FakeMesh['routes'][] => {
    const seen: FakeMesh['routes'][] = []
    const retire = bench.running.platform.retireWorkloads
    bench.running.platform.retireWorkloads = async (...given) => {
      seen.push(mesh.routes)
      await retire(...given)
    }
    return seen
  }
  const gone = (name: string) =>
    bench.atRest(
      () => bench.record(name),
      (record) => record === undefined,
    )
  const condition = async (name: string) =>
    (await getEnvironment(bench.store, name)).conditions.find(({ type }) => type === 'MeshRouted')
  const context: PlatformContext = {
    signal: new AbortController().signal,
    log: () => undefined,
    record: async () => undefined,
  }

  it('are made by the deploy, at the baseline, and stand in the ledger', async () => {
    await start()
    expect(mesh.routes).toEqual({ 'integration/feature-x.orders': 'feature-x' })
    expect(await bench.ledger('feature-x')).toContain('httproute integration/feature-x.orders')
    expect(await condition('feature-x')).toMatchObject({ status: 'True', message: expect.stringContaining('orders') })
    expect(await condition('integration')).toBeUndefined()
  })

  it('come and go with the services of the branch, out of the ledger too', async () => {
    await start()
    bench.git.commit('shop', 'feature/x', { 'stock/a': '2' })
    await bench.settle()
    await bench.atRest(
      () => Object.keys(mesh.routes),
      (keys) => keys.length === 2,
    )
    bench.git.commit('shop', 'feature/x', { 'orders/a': '1' })
    await bench.settle()
    await bench.atRest(
      () => Object.keys(mesh.routes),
      (keys) => keys.length === 1,
    )
    expect(mesh.routes).toEqual({ 'integration/feature-x.stock': 'feature-x' })
    expect(await bench.ledger('feature-x')).not.toContain('httproute integration/feature-x.orders')
  })

  it('follow the resolution of a branch of a branch', async () => {
    bench.git.commit('shop', 'feature/deep', { ...deepBase, 'stock/a': '3' }, 'feature/x')
    await start()
    await ready('feature-deep')
    const deep = await getEnvironment(bench.store, 'feature-deep')
    await applyMeshRoutes(bench.running, deep, context)
    expect(mesh.routes).toEqual({
      'integration/feature-x.orders': 'feature-x',
      'integration/feature-deep.orders': 'feature-x',
      'integration/feature-deep.stock': 'feature-deep',
    })
  })

  it('are gone before anything of the environment stops, and stand in the receipt', async () => {
    await start()
    const seen = routesAtStop()
    bench.git.delete('shop', 'feature/x')
    await bench.settle()
    await gone('feature-x')
    expect(seen).toEqual([{}])
    const [receipt] = await bench.receipts('feature-x')
    expect(receipt?.resources).toContainEqual({
      kind: 'httproute',
      id: 'integration/feature-x.orders',
      goneAt: expect.any(String),
      evidence: 'no integration/feature-x.orders',
    })
  })

  it('hold a teardown open while one of them is still there', async () => {
    await start()
    mesh.remove = async () => undefined
    bench.git.delete('shop', 'feature/x')
    await bench.settle()
    const stuck = await bench.atRest(
      async () => (await bench.environment('feature-x'))?.conditions.find(({ type }) => type === 'Reconciled'),
      (one) => one?.reason === 'TeardownIncomplete',
    )
    expect(stuck?.message).toContain('httproute integration/feature-x.orders')
    mesh.remove = FakeMesh.prototype.remove
    await gone('feature-x')
  })

  it('lead back to the baseline before a copy of the sleeping environment stops, and until it wakes', async () => {
    await start()
    const seen = routesAtStop()
    await sleep()
    expect([seen, mesh.routes]).toEqual([[{}], {}])
    await requestWake(bench.running, 'feature-x')
    bench.manager.mark('feature-x')
    await ready('feature-x')
    expect(mesh.routes).toEqual({ 'integration/feature-x.orders': 'feature-x' })
  })

  it('lead back to the baseline although a look that saw the copies still makes routes when they are to sleep', async () => {
    await start()
    const { configCenter } = bench.running
    const begun = gate()
    const released = gate()
    const listEntries: ConfigCenter['listEntries'] = async (tenant) => {
      const listed = await configCenter.listEntries(tenant)
      begun.open()
      await released.opened
      return listed
    }
    const slow = { ...bench.running, configCenter: { ...configCenter, listEntries } }
    const late = applyMeshRoutes(slow, await getEnvironment(bench.store, 'feature-x'), context)
    await begun.opened
    const asleep = sleep()
    await eventually(
      () => bench.center.tenants.get('feature-x')?.entries.has('orders'),
      (registered) => registered === false,
    )
    released.open()
    await Promise.all([late, asleep])
    expect(mesh.routes).toEqual({})
  })

  it('that cannot be made fail no run: a condition says why, until they can', async () => {
    mesh.problem = failure('ROUTES_NOT_POSSIBLE', 'the cluster has no HTTPRoute')
    await start()
    expect(await condition('feature-x')).toMatchObject({
      status: 'False',
      reason: 'RoutesNotPossible',
      message: 'the cluster has no HTTPRoute',
    })
    mesh.problem = undefined
    await applyMeshRoutes(bench.running, await getEnvironment(bench.store, 'feature-x'), context)
    expect(await condition('feature-x')).toMatchObject({ status: 'True' })
  })

  it('of a mesh that was switched off are removed, and nothing is said of them any more', async () => {
    await start()
    mesh.kind = 'none'
    await applyMeshRoutes(bench.running, await getEnvironment(bench.store, 'feature-x'), context)
    expect([mesh.routes, await condition('feature-x')]).toEqual([{}, undefined])
    expect(await bench.ledger('feature-x')).not.toContain('httproute integration/feature-x.orders')
  })

  it('of no environment are orphans, and removed', async () => {
    await start()
    mesh.made.set('integration/never-was.orders', 'never-was')
    expect(await removeOrphans(bench.running, context.signal)).toEqual([])
    expect(mesh.routes).toEqual({ 'integration/feature-x.orders': 'feature-x' })
    mesh.made.set('integration/never-was.orders', 'never-was')
    mesh.remove = async () => Promise.reject(new Error('the cluster is away'))
    expect(await removeOrphans(bench.running, context.signal)).toEqual([
      { kind: 'httproute', id: 'integration/never-was.orders', environment: 'never-was' },
    ])
  })

  it('are brought up to date when a base below changes what the environment does not even see', async () => {
    await start()
    const fingerprints = new Map([
      ['integration', 'one'],
      ['feature-x', 'one'],
    ])
    const handlers = new Set<() => void>()
    const changes: RouteChanges = {
      fingerprintOf: (name) => fingerprints.get(name),
      onChange: (handler) => {
        handlers.add(handler)
        return () => handlers.delete(handler)
      },
    }
    const capabilities: ReadonlySet<PlatformCapability> = new Set(['service-names'] as const)
    const followed = { ...bench.running, platform: { ...bench.running.platform, capabilities } }
    const stopping = new AbortController()
    const isRouted = (routes: FakeMesh['routes']): boolean => routes['integration/feature-x.orders'] === 'feature-x'
    mesh.made.clear()
    const running = new NameFollower(followed, changes).run(stopping.signal)
    await eventually(() => mesh.routes, isRouted)
    mesh.made.clear()
    fingerprints.set('integration', 'two')
    for (const handler of handlers) handler()
    await eventually(() => mesh.routes, isRouted)
    stopping.abort()
    await running
  })
})
