import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PlatformCapability, PlatformContext, ServiceName } from '../ports/platform.js'
import type { RouteChanges } from '../ports/route-changes.js'
import { NameFollower } from './name-follower.js'
import { definition, eventually, TestBench } from './test-bench.test-support.js'

/** A route table that a test changes, and a platform that keeps the names it is given. */
class Names implements RouteChanges {
  readonly applied = new Map<string, readonly ServiceName[]>()
  readonly seen = new Map<string, string>()
  count = 0
  failing = false
  /** The cluster takes the call and never answers. */
  silent = false
  #handlers = new Set<() => void>()

  fingerprintOf = (environment: string): string | undefined => this.seen.get(environment)
  onChange = (handler: () => void): (() => void) => {
    this.#handlers.add(handler)
    return () => this.#handlers.delete(handler)
  }
  change(environment: string, fingerprint: string): void {
    this.seen.set(environment, fingerprint)
    for (const handler of this.#handlers) handler()
  }
}

describe('NameFollower', () => {
  let bench: TestBench
  let names: Names
  let stop: () => Promise<void>

  beforeEach(async () => {
    bench = await TestBench.open()
    names = new Names()
    bench.git.commit('shop', 'main', { 'orders/service.yaml': definition('orders'), 'orders/a': '1' })
    bench.git.commit('shop', 'feature/x', { 'stock/service.yaml': definition('stock'), 'stock/a': '1' }, 'main')
    await bench.start()
    await bench.settle()
    await eventually(
      () => bench.phase('feature-x'),
      (phase) => phase === 'ready',
    )
    stop = follow()
  })
  afterEach(async () => {
    await stop()
    await bench.close()
  })

  /** Runs a follower on a platform with names. Answers the end of it. */
  function follow(): () => Promise<void> {
    const dependencies = bench.dependencies()
    const capabilities: ReadonlySet<PlatformCapability> = new Set(['service-names'] as const)
    const platform = {
      ...dependencies.platform,
      capabilities,
      applyServiceNames: async (
        environment: string,
        readNames: () => Promise<readonly ServiceName[]>,
        { signal }: PlatformContext,
      ) => {
        names.count += 1
        if (names.silent)
          await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        if (names.failing) throw new Error('the cluster is away')
        names.applied.set(environment, await readNames())
      },
    }
    const follower = new NameFollower({ ...dependencies, platform }, names, { backoff: { initialMs: 1, maxMs: 5 } })
    const stopping = new AbortController()
    const running = follower.run(stopping.signal)
    return async () => {
      stopping.abort()
      await running
    }
  }

  const statesOf = (environment: string): Record<string, string> =>
    Object.fromEntries((names.applied.get(environment) ?? []).map(({ service, state }) => [service, state]))

  it('ends although the cluster does not answer', async () => {
    names.silent = true
    names.change('feature-x', 'one')
    await eventually(
      async () => names.count,
      (count) => count > 0,
    )
    await stop()
    expect(names.applied.size).toBe(0)
  })

  it('makes every name lead to its owner, in the environments whose view has changed', async () => {
    names.change('feature-x', 'one')
    await eventually(
      async () => statesOf('feature-x'),
      (states) => Object.keys(states).length === 2,
    )
    expect(statesOf('feature-x')).toEqual({ orders: 'inherited', stock: 'own' })
    expect(names.applied.has('integration')).toBe(false)
  })

  it('does nothing when a change concerns others', async () => {
    names.change('feature-x', 'one')
    await eventually(
      async () => names.count,
      (count) => count === 1,
    )
    names.change('integration', 'one')
    await eventually(
      async () => names.applied.has('integration'),
      (done) => done,
    )
    expect(names.count).toBe(2)
  })

  it('tries again until the cluster takes it', async () => {
    names.failing = true
    names.change('feature-x', 'one')
    await eventually(
      async () => names.count,
      (count) => count > 3,
    )
    names.failing = false
    await eventually(
      async () => statesOf('feature-x'),
      (states) => states['stock'] === 'own',
    )
  })

  it('leaves an environment alone that is being torn down', async () => {
    bench.git.delete('shop', 'feature/x')
    await bench.settle()
    await eventually(
      () => bench.record('feature-x'),
      (record) => record === undefined,
    )
    names.change('feature-x', 'late')
    names.change('integration', 'one')
    await eventually(
      async () => names.applied.has('integration'),
      (done) => done,
    )
    expect(names.applied.has('feature-x')).toBe(false)
    expect(await bench.ledger('feature-x')).toEqual([])
  })
})
