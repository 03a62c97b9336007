import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { failure } from '../errors.js'
import { definition, TestBench } from './test-bench.test-support.js'

let bench: TestBench
let main: string

beforeEach(async () => {
  bench = await TestBench.open()
  main = bench.git.commit('shop', 'main', {
    'orders/service.yaml': definition('orders'),
    'orders/server.js': '1',
    'payments/service.yaml': definition('payments'),
    'payments/server.js': '1',
  })
  await bench.start()
  await bench.settle()
})

afterEach(() => bench.close())

const refused = failure('PLATFORM_ADDRESS_UNREACHABLE', 'orders is ready, but nobody takes a connection at 10.1.2.3:80')
const answersOf = (service: string): string | undefined => bench.center.seenBy('feature-x')[service]

describe('a copy that is healthy while its address does not answer', () => {
  it('gets no callers: they stay where they were, and the other services go on', async () => {
    bench.world.unreached.set('orders', refused)
    const head = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2', 'payments/server.js': '2' }, 'main')
    await bench.settle()
    const environment = await bench.atRest(
      () => bench.environment('feature-x'),
      (now) => now?.conditions.some(({ message }) => message.includes('10.1.2.3:80')) === true,
    )
    expect(environment?.phase).not.toBe('ready')
    expect(answersOf('orders')).toBe(`integration@${main.slice(0, 7)}`)
    expect(answersOf('payments')).toBe(`feature-x@${head.slice(0, 7)}`)
  })

  it('gets them once it answers, however often that was tried in vain', async () => {
    bench.world.unreached.set('orders', refused)
    const head = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.settle()
    await bench.atRest(
      () => bench.runs('feature-x'),
      (runs) => runs.filter(({ state }) => state === 'failed').length > 4,
    )
    bench.world.unreached.clear()
    await bench.atRest(
      () => bench.phase('feature-x'),
      (phase) => phase === 'ready',
    )
    expect(answersOf('orders')).toBe(`feature-x@${head.slice(0, 7)}`)
    expect(bench.world.copiesOf('feature-x')).toEqual([`orders@${head.slice(0, 7)}`])
  })
})
