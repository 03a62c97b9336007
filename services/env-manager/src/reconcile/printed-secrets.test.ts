import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { WorkloadSpec } from '../ports/platform.js'
import { definition, eventually, TestBench } from './test-bench.test-support.js'

let bench: TestBench

beforeEach(async () => {
  bench = await TestBench.open()
})

afterEach(() => bench.close())

describe('a service that prints its secrets', () => {
  const secretsOf = ({ environmentVariables, secrets }: WorkloadSpec): string =>
    [environmentVariables['TRIBUTARY_TOKEN'], environmentVariables['TRIBUTARY_CONTEXT_KEY'], secrets['key']].join(' ')
  const withKey = definition('orders', 'secrets: [{ name: key, generate: { bytes: 16 } }]\n')
  const told = '[secret] [secret] [secret]'

  it('has none of them in its conditions, runs and logs when its deploy fails', async () => {
    bench.git.commit('shop', 'main', { 'orders/service.yaml': withKey })
    bench.world.sickness = (spec) => (spec.service === 'orders' ? `exited, it printed ${secretsOf(spec)}` : undefined)
    await bench.start()
    await bench.settle()
    const failed = await eventually(
      () => bench.environment('integration'),
      (found) => found?.phase === 'failed',
    )
    const text = JSON.stringify([failed, await bench.record('integration'), await bench.runs('integration')])
    expect(bench.logged.join('\n')).toContain(told)
    expect(text).toContain(`it printed ${told}`)
    for (const secret of [...bench.world.started.values()].flatMap((spec) => secretsOf(spec).split(' '))) {
      if (secret !== '') expect([text, ...bench.logged].join('\n')).not.toContain(secret)
    }
  })

  it('has none of them in its conditions when it dies later', async () => {
    bench.git.commit('shop', 'main', { 'orders/service.yaml': withKey })
    await bench.start()
    await bench.settle()
    await eventually(
      () => bench.phase('integration'),
      (phase) => phase === 'ready',
    )
    for (const [id, workload] of bench.world.workloads) {
      const spec = bench.world.started.get(id)
      if (spec?.service !== 'orders') continue
      bench.world.workloads.set(id, { ...workload, health: 'unhealthy', message: `exited: ${secretsOf(spec)}` })
    }
    for (const listener of bench.world.listeners) listener('integration')
    const sick = await eventually(
      () => bench.environment('integration'),
      (found) => found?.phase === 'degraded' || found?.phase === 'failed',
    )
    expect(JSON.stringify(sick)).toContain(`exited: ${told}`)
  })
})
