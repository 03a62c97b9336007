import { beforeEach, describe, expect, it } from 'vitest'
import { patchEnvironment } from '../operations/change-environment.js'
import { requestTeardown } from '../operations/request-teardown.js'
import { rollBackService } from '../operations/rollback-service.js'
import { short, useShop } from './shop-bench.test-support.js'
import { definition, type TestBench } from './test-bench.test-support.js'

let bench: TestBench
const { ready, gone } = useShop((opened) => (bench = opened))

describe('people', () => {
  beforeEach(async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
  })

  it('may delete an environment, which comes back at the next push', async () => {
    await requestTeardown(bench.store, 'feature-x', Date.now())
    bench.manager.mark('feature-x')
    await gone('feature-x')
    await bench.settle()
    expect(await bench.record('feature-x')).toBeUndefined()
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '3' })
    await bench.settle()
    await ready('feature-x')
    expect((await bench.environment('feature-x'))?.generation).toBe(2)
  })

  it('may roll a service back, until the next push', async () => {
    const first = bench.git.headOf('shop', 'feature/x')
    const second = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '3' })
    await bench.settle()
    await bench.atRest(
      () => bench.center.seenBy('feature-x')['orders'],
      (seen) => seen === `feature-x@${short(second)}`,
    )
    await rollBackService(bench.store, { environment: 'feature-x', service: 'orders' })
    bench.manager.mark('feature-x')
    await bench.atRest(
      () => bench.world.copiesOf('feature-x'),
      (copies) => copies.length === 1 && copies[0] === `orders@${short(first)}`,
    )
    expect(bench.center.seenBy('feature-x')['orders']).toBe(`feature-x@${short(first)}`)
    await ready('feature-x')
    const third = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '4' })
    await bench.settle()
    await bench.atRest(
      () => bench.center.seenBy('feature-x')['orders'],
      (seen) => seen === `feature-x@${short(third)}`,
    )
  })

  it('may roll a service back while the look after its deploy is under way, which finds nothing to do', async () => {
    const first = bench.git.headOf('shop', 'feature/x')
    const second = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '3' })
    let isRolledBack = false
    bench.git.onCompare = async () => {
      const deployed = (await bench.record('feature-x'))?.services['orders']?.deployed?.commitSha
      if (isRolledBack || deployed !== second) return
      isRolledBack = true
      await rollBackService(bench.store, { environment: 'feature-x', service: 'orders' })
      bench.manager.mark('feature-x')
    }
    await bench.settle()
    await bench.atRest(
      () => bench.world.copiesOf('feature-x'),
      (copies) => isRolledBack && copies.length === 1 && copies[0] === `orders@${short(first)}`,
    )
  })

  it('are asked nothing when an environment expires, unless it is pinned', async () => {
    await bench.manager.stop()
    bench.config = { ...bench.config, ttlHours: 1 }
    bench.now = () => Date.now() + 2 * 3_600_000
    await patchEnvironment(bench.running, 'feature-x', { pinned: true })
    await bench.start()
    await bench.settle()
    expect(await bench.phase('feature-x')).toBe('ready')
    await patchEnvironment(bench.running, 'feature-x', { pinned: false })
    await bench.settle()
    await gone('feature-x')
    expect((await bench.receipts('feature-x'))[0]?.reason).toBe('expired')
    await bench.settle()
    expect(await bench.record('feature-x')).toBeUndefined()
  })

  it('keep what they set in a config document across deploys that bring new defaults', async () => {
    const withDefaults = (more: string): string => definition('orders', `config: { defaults: { size: 1${more} } }\n`)
    bench.git.commit('shop', 'feature/x', { 'orders/service.yaml': withDefaults('') })
    await bench.settle()
    await bench.atRest(
      () => bench.center.document('feature-x', 'orders'),
      (document) => document?.['size'] === 1,
    )
    bench.center.setDocument('feature-x', 'orders', { size: 50 })
    bench.git.commit('shop', 'feature/x', { 'orders/service.yaml': withDefaults(', color: red') })
    await bench.settle()
    const document = await bench.atRest(
      () => bench.center.document('feature-x', 'orders'),
      (now) => now?.['color'] === 'red',
    )
    expect(document).toEqual({ size: 50, color: 'red' })
  })
})
