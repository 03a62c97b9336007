import { afterEach, beforeEach } from 'vitest'
import { definition, TestBench } from './test-bench.test-support.js'

/** What tests of the shop work with, besides its bench. */
export interface ShopBench {
  /** Waits until the environment is ready and the manager has nothing to do. */
  ready(name: string): Promise<unknown>
  /** Waits until the environment has no record any more and the manager has nothing to do. */
  gone(name: string): Promise<unknown>
  /** Holds the deploy of a service until it is let go. */
  holdDeploy(service: string, environment: string): HeldDeploy
}

/** A deploy that waits. */
export interface HeldDeploy {
  /** Resolves when the deploy has begun. */
  readonly reached: Promise<void>
  readonly letGo: () => void
}

/** A commit as versions show it. */
export const short = (commit: string): string => commit.slice(0, 7)

/** Gives each test of the file a bench with a repository of two services, of which one calls the other; `take` gets it. */
export function useShop(take: (bench: TestBench) => void): ShopBench {
  let bench: TestBench
  beforeEach(async () => {
    bench = await TestBench.open()
    bench.git.commit('shop', 'main', {
      'orders/service.yaml': definition('orders', 'dependsOn: [payments]\n'),
      'orders/server.js': '1',
      'payments/service.yaml': definition('payments'),
      'payments/server.js': '1',
      'README.md': 'shop',
    })
    take(bench)
  })
  afterEach(async () => {
    await bench.close()
  })
  return {
    ready: (name) =>
      bench.atRest(
        () => bench.phase(name),
        (phase) => phase === 'ready',
      ),
    gone: (name) =>
      bench.atRest(
        () => bench.record(name),
        (record) => record === undefined,
      ),
    holdDeploy: (service, environment) => holdDeploy(bench, service, environment),
  }
}

function holdDeploy(bench: TestBench, service: string, environment: string): HeldDeploy {
  let letGo = (): void => undefined
  let reach = (): void => undefined
  const reached = new Promise<void>((resolve) => (reach = resolve))
  bench.world.onDeploy = async (spec, { signal }) => {
    if (spec.service !== service || spec.environment !== environment) return
    reach()
    await new Promise<void>((resolve, reject) => {
      letGo = resolve
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
  }
  return { reached, letGo: () => letGo() }
}
