import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { definition, eventually, TestBench } from './test-bench.test-support.js'

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
})

afterEach(async () => {
  await bench.close()
})

describe('environments of branches', () => {
  it('builds integration with all services, and a branch with only what it changes', async () => {
    const main = bench.git.headOf('shop', 'main').slice(0, 7)
    const head = bench.git.commit('shop', 'feature/addButton', { 'orders/server.js': '2' }, 'main').slice(0, 7)
    await bench.start()
    await bench.settle()
    await eventually(
      () => bench.phase('feature-addbutton'),
      (phase) => phase === 'ready',
    )
    expect(await bench.phase('integration')).toBe('ready')
    expect(bench.center.seenBy('integration')).toEqual({
      orders: `integration@${main}`,
      payments: `integration@${main}`,
    })
    expect(bench.center.seenBy('feature-addbutton')).toEqual({
      orders: `feature-addbutton@${head}`,
      payments: `integration@${main}`,
    })
    expect(bench.world.copiesOf('feature-addbutton')).toEqual([`orders@${head}`])
    expect([...bench.routes.served].sort()).toEqual(['feature-addbutton', 'integration'])
  })

  it('removes everything of a deleted branch and writes the receipt', async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await eventually(
      () => bench.phase('feature-x'),
      (phase) => phase === 'ready',
    )
    const ledger = await bench.ledger('feature-x')
    expect(ledger.length).toBeGreaterThan(4)
    bench.git.delete('shop', 'feature/x')
    await bench.settle()
    const [receipt] = await eventually(
      () => bench.receipts('feature-x'),
      (receipts) => receipts.length === 1,
    )
    expect(receipt?.reason).toBe('branch_deleted')
    expect(receipt?.resources.map(({ kind, id }) => `${kind} ${id}`).sort()).toEqual([...ledger].sort())
    expect(await bench.ledger('feature-x')).toEqual([])
    expect(await bench.record('feature-x')).toBeUndefined()
    expect(bench.world.copiesOf('feature-x')).toEqual([])
    expect([...bench.world.spaces]).toEqual(['integration'])
    expect([...bench.center.tenants.keys()]).toEqual(['integration'])
    expect([...bench.center.tokens.values()].map(({ tenant }) => tenant)).toEqual(['integration'])
    expect([...bench.routes.served]).toEqual(['integration'])
  })
})
