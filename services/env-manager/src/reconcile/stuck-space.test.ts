import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PlatformContext } from '../ports/platform.js'
import { definition, eventually, gate, TestBench, type Gate } from './test-bench.test-support.js'

/** A platform whose cluster ends the space of one environment only when the test lets it. */
describe('a space that does not go', () => {
  let bench: TestBench
  let waiting: Gate
  let released: Gate

  beforeEach(async () => {
    bench = await TestBench.open({ concurrency: 1 })
    waiting = gate()
    released = gate()
    bench.git.commit('shop', 'main', { 'orders/service.yaml': definition('orders'), 'orders/a': '1' })
    for (const branch of ['feature/held', 'feature/other'])
      bench.git.commit('shop', branch, { 'orders/a': branch }, 'main')
    const made = bench.dependencies()
    const endSpace = async (environment: string, context: PlatformContext): Promise<void> => {
      if (environment === 'feature-held') {
        waiting.open()
        await released.opened
      }
      await made.platform.removeSpace(environment, context)
    }
    const platform: typeof made.platform = {
      ...made.platform,
      removeSpace: (environment, context) => (context.aside ?? here)(() => endSpace(environment, context)),
    }
    await bench.start({ ...made, platform })
    await bench.settle()
    await phaseIs('feature-held', 'ready')
    await phaseIs('feature-other', 'ready')
    bench.git.delete('shop', 'feature/held')
    bench.manager.requestLook()
    await waiting.opened
  })
  afterEach(async () => {
    released.open()
    await bench.close()
  })

  const here = <T>(work: () => Promise<T>): Promise<T> => work()
  const phaseIs = (name: string, wanted: string | undefined) =>
    eventually(
      () => bench.phase(name),
      (phase) => phase === wanted,
    )

  it('keeps no other environment from coming or going, though one may be worked on at a time', async () => {
    bench.git.commit('shop', 'feature/late', { 'orders/a': 'late' }, 'main')
    bench.git.delete('shop', 'feature/other')
    bench.manager.requestLook()
    await phaseIs('feature-late', 'ready')
    await phaseIs('feature-other', undefined)
    expect(await bench.phase('feature-held')).toBe('terminating')
    expect(bench.manager.status().running).toContain('feature-held')
    released.open()
    await phaseIs('feature-held', undefined)
    expect(await bench.receipts('feature-held')).toHaveLength(1)
  })

  it('is waited for by the next generation of its own environment alone', async () => {
    bench.git.commit('shop', 'feature/held', { 'orders/a': 'again' }, 'main')
    bench.git.commit('shop', 'feature/other', { 'orders/a': 'more' })
    bench.manager.requestLook()
    await eventually(
      async () => (await bench.runs('feature-other')).length,
      (count) => count === 2,
    )
    await phaseIs('feature-other', 'ready')
    expect(await bench.phase('feature-held')).toBe('terminating')
    released.open()
    await phaseIs('feature-held', 'ready')
    expect((await bench.record('feature-held'))?.generation).toBe(2)
  })
})
