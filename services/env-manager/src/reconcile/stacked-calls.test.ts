import { KeyedMutex } from '@tributary/kit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { requestSleep, requestWake } from '../operations/request-sleep.js'
import type { Platform, PlatformCapability } from '../ports/platform.js'
import { FakeMesh } from './fake-mesh.test-support.js'
import { definition, TestBench } from './test-bench.test-support.js'

const CAPABILITIES: ReadonlySet<PlatformCapability> = new Set(['run-from-source', 'service-names'])
const OVER_X = { 'tributary.yaml': 'apiVersion: tributary/v1\nkind: Environment\nbase: feature/x\n' }
/** Every header route while all are awake. */
const WHOLE = {
  'integration/feature-x.orders': 'feature-x',
  'integration/feature-x.stock': 'feature-x',
  'integration/feature-deep.orders': 'feature-x',
  'integration/feature-deep.stock': 'feature-deep',
  'feature-x/feature-deep.stock': 'feature-deep',
}

/** Nobody follows the route table here: what leads to a copy when it stops is what the run itself has left. */
describe('calls of an environment over another branch', () => {
  let bench: TestBench
  let mesh: FakeMesh
  /** Name of a service in an environment, and the port that it leads to: the fake platform has no two copies at one. */
  let names: Map<string, number | undefined>
  /** Environments that take no names. */
  let refused: Set<string>
  /** Copies of feature-x that were stopped, with the names and header routes that led to each when it was. */
  let stopped: { readonly service: string; readonly ledBy: readonly string[] }[]

  beforeEach(async () => {
    bench = await TestBench.open()
    mesh = new FakeMesh()
    names = new Map()
    refused = new Set()
    stopped = []
    const orders = { 'orders/service.yaml': definition('orders'), 'orders/a': '1' }
    const stock = { 'stock/service.yaml': definition('stock'), 'stock/a': '1' }
    bench.git.commit('shop', 'main', { ...orders, ...stock })
    bench.git.commit('shop', 'feature/x', { 'orders/a': '2', 'stock/a': '2' }, 'main')
    bench.git.commit('shop', 'feature/deep', { ...OVER_X, 'stock/a': '3' }, 'feature/x')
    const made = bench.dependencies()
    await bench.start({ ...made, platform: observed(made.platform), mesh: { routes: mesh, lock: new KeyedMutex() } })
    await bench.settle()
    await ready('feature-x')
    await ready('feature-deep')
  })
  afterEach(() => bench.close())

  const observed = (platform: Platform): Platform => ({
    ...platform,
    capabilities: CAPABILITIES,
    applyServiceNames: async (environment, readNames) => {
      if (refused.has(environment)) throw new Error(`the quota of ${environment} is used up`)
      for (const name of names.keys()) if (name.startsWith(`${environment}/`)) names.delete(name)
      for (const { service, endpoints } of await readNames()) names.set(`${environment}/${service}`, endpoints[0]?.port)
    },
    retireWorkloads: async (target, context) => {
      if (target.environment === 'feature-x') noteStop(target.service)
      await platform.retireWorkloads(target, context)
    },
  })
  const noteStop = (service: string): void => {
    const copy = [...bench.world.workloads.values()].find(
      (one) => one.environment === 'feature-x' && one.service === service,
    )
    const named = [...names].filter(([, port]) => port === copy?.endpoints[0]?.port).map(([name]) => name)
    const routed = Object.entries(mesh.routes).filter(([id, to]) => to === 'feature-x' && id.endsWith(`.${service}`))
    stopped.push({ service, ledBy: [...named, ...routed.map(([id]) => id)] })
  }
  const portOf = (environment: string, service: string): number | undefined =>
    [...bench.world.workloads.values()].find((one) => one.environment === environment && one.service === service)
      ?.endpoints[0]?.port
  const ready = (name: string) =>
    bench.atRest(
      () => bench.phase(name),
      (phase) => phase === 'ready',
    )
  const linesOf = async (runId: string): Promise<readonly string[]> => {
    const lines: string[] = []
    const { signal } = new AbortController()
    for await (const { text } of bench.running.runLogs.read(runId, { follow: false, signal })) lines.push(text)
    return lines
  }
  const sleep = async (): Promise<void> => {
    await requestSleep(bench.running, 'feature-x')
    bench.manager.mark('feature-x')
    await bench.atRest(
      () => bench.world.copiesOf('feature-x'),
      (copies) => copies.length === 0,
    )
  }

  it('go to the copies of the branch below as soon as that is ready', () => {
    expect(mesh.routes).toEqual(WHOLE)
    expect(names.get('feature-deep/orders')).toBe(portOf('feature-x', 'orders'))
  })

  it('are led around a base that falls asleep before its copies stop, and back before it is awake', async () => {
    await sleep()
    expect(stopped).toEqual([
      { service: 'orders', ledBy: [] },
      { service: 'stock', ledBy: [] },
    ])
    expect(mesh.routes).toEqual({ 'integration/feature-deep.stock': 'feature-deep' })
    expect(names.get('feature-deep/orders')).toBe(portOf('integration', 'orders'))
    await requestWake(bench.running, 'feature-x')
    bench.manager.mark('feature-x')
    await ready('feature-x')
    expect(mesh.routes).toEqual(WHOLE)
    expect(names.get('feature-deep/orders')).toBe(portOf('feature-x', 'orders'))
  })

  it('are led around a base that is torn down before its copies stop', async () => {
    bench.git.delete('shop', 'feature/x')
    await bench.settle()
    await bench.atRest(
      () => bench.record('feature-x'),
      (record) => record === undefined,
    )
    // Its own names go with its space.
    expect(stopped).toEqual([
      { service: 'orders', ledBy: ['feature-x/orders'] },
      { service: 'stock', ledBy: ['feature-x/stock'] },
    ])
  })

  it('are led around a copy of the base that a push takes away', async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/a': '1' })
    await bench.settle()
    await bench.atRest(
      () => bench.world.copiesOf('feature-x'),
      (copies) => copies.length === 1,
    )
    expect(stopped).toContainEqual({ service: 'orders', ledBy: [] })
  })

  it('do not keep the base from its sleep when they cannot be led around it: its run says so', async () => {
    refused.add('feature-deep')
    await sleep()
    expect(bench.world.copiesOf('feature-x')).toEqual([])
    const [run] = await bench.runs('feature-x')
    expect(await linesOf(run?.runId ?? '')).toContain(
      'calls of feature-deep, which lies over feature-x, are not led anew yet: the quota of feature-deep is used up',
    )
  })
})
