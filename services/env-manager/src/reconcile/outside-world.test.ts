import { AppError } from '@tributary/kit'
import { beforeEach, describe, expect, it } from 'vitest'
import { removeOrphans } from '../operations/orphan-scan.js'
import { listEnvironments } from '../operations/state/environments.js'
import { short, useShop } from './shop-bench.test-support.js'
import type { TestBench } from './test-bench.test-support.js'

let bench: TestBench
const { ready, gone } = useShop((opened) => (bench = opened))

describe('the world outside', () => {
  beforeEach(async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
  })

  it('starts a copy again that is gone, and registers it where it is', async () => {
    const id = (await bench.record('feature-x'))?.services['orders']?.deployed?.workloadId ?? ''
    bench.world.workloads.delete(id)
    bench.manager.mark('feature-x')
    await bench.atRest(
      () => bench.world.copiesOf('feature-x'),
      (copies) => copies.length === 1,
    )
    await ready('feature-x')
    const entry = bench.center.tenants.get('feature-x')?.entries.get('orders')
    expect(entry?.spec.endpoints).toEqual(bench.world.workloads.get(id)?.endpoints)
  })

  it('shows a copy that died as unhealthy, and as healthy when it is back, without being asked', async () => {
    bench.world.change('feature-x', 'orders', { health: 'unhealthy', message: 'exited with 1' })
    const sick = await bench.atRest(
      () => bench.environment('feature-x'),
      (now) => now?.phase === 'degraded',
    )
    expect(sick?.conditions.find(({ type }) => type === 'Ready')?.message).toContain('exited with 1')
    bench.world.change('feature-x', 'orders', { health: 'healthy', message: null })
    await ready('feature-x')
  })

  it('registers an entry again that somebody deleted', async () => {
    bench.center.tenants.get('feature-x')?.entries.delete('orders')
    bench.manager.mark('feature-x')
    const seen = await bench.atRest(
      () => bench.center.seenBy('feature-x')['orders'],
      (owner) => owner?.startsWith('feature-x@') === true,
    )
    expect(seen).toBe(`feature-x@${short(bench.git.headOf('shop', 'feature/x'))}`)
  })

  it('leaves entries alone that others registered', async () => {
    const entry = { state: 'present' as const, spec: { endpoints: [] }, revision: 1 }
    bench.center.tenants.get('feature-x')?.entries.set('laptop', entry)
    bench.manager.mark('feature-x')
    await bench.settle()
    expect(bench.center.tenants.get('feature-x')?.entries.has('laptop')).toBe(true)
  })

  it('waits while the config center is down, loses nothing, and begins no run', async () => {
    bench.center.outage = new AppError({ kind: 'unavailable', code: 'SERVER_UNREACHABLE', message: 'down' })
    const runs = (await bench.runs('feature-x')).length
    const head = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '3' })
    await bench.settle()
    const environment = await bench.atRest(
      () => bench.environment('feature-x'),
      (now) => now?.conditions.some(({ reason }) => reason === 'ServerUnreachable') === true,
    )
    expect(environment?.services[0]?.status).toBe('healthy')
    expect(await bench.runs('feature-x')).toHaveLength(runs)
    bench.center.outage = undefined
    await bench.atRest(
      () => bench.center.seenBy('feature-x')['orders'],
      (seen) => seen === `feature-x@${short(head)}`,
    )
  })

  it('removes what bears our label and has no environment, and nothing else', async () => {
    bench.world.spaces.add('left-over')
    await bench.routes.apply('left-over')
    bench.center.setDocument('integration', '*', { kept: true })
    const labels = { 'tributary/environment': 'old', 'tributary/instance': 'tributary' }
    const tenant = { base: 'integration', entries: new Map(), documents: new Map(), schemas: new Map() }
    bench.center.tenants.set('old', { ...tenant, spec: { labels } })
    bench.center.tenants.set('theirs', { ...tenant, spec: { labels: { 'tributary/environment': 'theirs' } } })
    await removeOrphans(bench.dependencies(), new AbortController().signal)
    expect([...bench.world.spaces].sort()).toEqual(['feature-x', 'integration'])
    expect((await bench.routes.list()).toSorted()).toEqual(['feature-x', 'integration'])
    expect([...bench.center.tenants.keys()].sort()).toEqual(['feature-x', 'integration', 'theirs'])
    expect(bench.center.document('integration', '*')).toEqual({ kept: true })
  })

  it('goes on with an environment although another one fails for ever', async () => {
    bench.world.onDeploy = async ({ environment }) => {
      if (environment === 'feature-bad') throw new Error('poison')
    }
    bench.git.commit('shop', 'feature/bad', { 'orders/server.js': 'x' }, 'main')
    bench.git.commit('shop', 'feature/good', { 'orders/server.js': 'y' }, 'main')
    await bench.settle()
    await ready('feature-good')
    const bad = await bench.atRest(
      () => bench.environment('feature-bad'),
      (now) => now?.phase === 'failed',
    )
    expect(bad?.conditions.find(({ type }) => type === 'ServiceHealthy')?.message ?? 'poison').toContain('poison')
  })
})

describe('a manager that starts again', () => {
  beforeEach(async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await bench.atRest(
      () => listEnvironments(bench.store),
      (records) => records.every(({ settledFor }) => settledFor !== null),
    )
    await bench.manager.stop()
  })

  it('does not read repositories again for what is as it should be', async () => {
    const dependencies = bench.dependencies()
    const read: string[] = []
    const content = {
      load: async (...given: Parameters<typeof dependencies.content.load>) => {
        read.push(given[1])
        return dependencies.content.load(...given)
      },
    }
    await bench.start({ ...dependencies, content })
    await bench.settle()
    await ready('feature-x')
    expect(read).toEqual([])
    const head = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '3' })
    await bench.settle()
    await bench.atRest(
      () => bench.center.seenBy('feature-x')['orders'],
      (seen) => seen === `feature-x@${short(head)}`,
    )
    expect(read).toContain(head)
  })

  it('serves preview URLs again, and keeps generated secrets and the token', async () => {
    bench.routes.served.clear()
    const before = [...bench.world.started.values()].map(
      ({ environmentVariables }) => environmentVariables['TRIBUTARY_TOKEN'],
    )
    await bench.start()
    expect([...bench.routes.served].sort()).toEqual(['feature-x', 'integration'])
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '3' })
    await bench.settle()
    await ready('feature-x')
    const after = [...bench.world.started.values()].map(
      ({ environmentVariables }) => environmentVariables['TRIBUTARY_TOKEN'],
    )
    expect(new Set(after)).toEqual(new Set(before))
  })

  it('forgets runs of environments that are gone after a month, and keeps their receipts', async () => {
    await bench.start()
    bench.git.delete('shop', 'feature/x')
    await bench.settle()
    await gone('feature-x')
    await bench.manager.stop()
    expect(await bench.runs('feature-x')).toHaveLength(2)
    bench.now = () => Date.now() + 31 * 24 * 3_600_000
    await bench.start()
    await bench.atRest(
      () => bench.runs('feature-x'),
      (runs) => runs.length === 0,
    )
    expect((await bench.runs('integration')).length).toBeGreaterThan(0)
    expect(await bench.receipts('feature-x')).toHaveLength(1)
  })
})

describe('a teardown that does not get through', () => {
  it('writes no receipt while something is still there, names it, and goes on until it is gone', async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
    const remove = bench.world.spaces.delete.bind(bench.world.spaces)
    let stuck = true
    bench.world.spaces.delete = (name) => (stuck ? false : remove(name))
    bench.git.delete('shop', 'feature/x')
    await bench.settle()
    const [failed] = await bench.atRest(
      () => bench.runs('feature-x'),
      (runs) => runs[0]?.kind === 'teardown' && runs[0].state === 'failed',
    )
    expect(failed?.error).toMatchObject({
      code: 'TEARDOWN_INCOMPLETE',
      message: expect.stringContaining('space feature-x'),
    })
    expect(await bench.receipts('feature-x')).toEqual([])
    expect(await bench.phase('feature-x')).toBe('terminating')
    stuck = false
    await gone('feature-x')
    expect(await bench.receipts('feature-x')).toHaveLength(1)
  })
})
