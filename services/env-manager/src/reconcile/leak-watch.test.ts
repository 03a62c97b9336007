import type { ObservedLeak } from '@tributary/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { failure } from '../errors.js'
import { claimEnvironment, getEnvironment } from '../operations/state/environments.js'
import { LeakWatch } from './leak-watch.js'
import { TestBench } from './test-bench.test-support.js'

const at = '2026-01-01T00:00:00.000Z'

const leak = (more: Partial<ObservedLeak> = {}): ObservedLeak => ({
  kind: 'dropped',
  tenant: 'feature-x',
  from: 'payments',
  to: 'orders',
  route: 'GET /callback',
  count: 1,
  firstSeenAt: at,
  lastSeenAt: at,
  traceId: null,
  seenIn: { tenant: 'integration', service: 'payments' },
  ...more,
})

describe('LeakWatch', () => {
  let bench: TestBench
  let watch: LeakWatch

  beforeEach(async () => {
    bench = await TestBench.open()
    watch = new LeakWatch(bench.dependencies())
    for (const branch of ['feature/x', 'feature/y']) {
      const heads = { shop: 'a'.repeat(40) }
      await claimEnvironment(bench.store, { kind: 'feature', branch, heads, now: 0 })
    }
  })

  afterEach(async () => {
    await bench.close()
  })

  const condition = async (name: string) =>
    (await getEnvironment(bench.store, name)).conditions.find(({ type }) => type === 'ContextPropagated')

  it('marks the environment whose calls leaked, naming the edge, and no other', async () => {
    bench.center.leaks = [leak()]
    await watch.look()
    expect(await condition('feature-x')).toMatchObject({ status: 'False', reason: 'ContextLost' })
    expect((await condition('feature-x'))?.message).toContain('payments -> orders')
    expect(await condition('feature-y')).toBeUndefined()
  })

  it('writes nothing while the same edges go on leaking', async () => {
    bench.center.leaks = [leak()]
    await watch.look()
    const revision = await bench.store.currentRevision()
    bench.center.leaks = [leak({ count: 77, lastSeenAt: '2026-01-01T01:00:00.000Z' })]
    await watch.look()
    expect(await bench.store.currentRevision()).toBe(revision)
  })

  it('heals the condition when the leak is over, also after a restart of the manager', async () => {
    bench.center.leaks = [leak()]
    await watch.look()
    bench.center.leaks = []
    await new LeakWatch(bench.dependencies()).look()
    expect(await condition('feature-x')).toMatchObject({ status: 'True', reason: 'NoLeakSeen' })
  })

  it('changes nothing while the config center is down', async () => {
    bench.center.leaks = [leak()]
    await watch.look()
    bench.center.outage = failure('CONFIG_CENTER_UNREACHABLE', 'down')
    await expect(watch.look()).rejects.toThrow('down')
    expect(await condition('feature-x')).toMatchObject({ status: 'False' })
  })

  it('passes over tenants that are no environment of this manager', async () => {
    bench.center.leaks = [leak({ tenant: 'somebody-elses' }), leak({ tenant: null })]
    await watch.look()
    expect(await condition('feature-x')).toBeUndefined()
  })
})
