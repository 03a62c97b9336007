import { describe, expect, it } from 'vitest'
import { failure } from '../errors.js'
import { requestTeardown } from '../operations/request-teardown.js'
import { listEnvironments } from '../operations/state/environments.js'
import { listSuspensions } from '../operations/state/suspensions.js'
import { short, useShop } from './shop-bench.test-support.js'
import { definition, TestBench } from './test-bench.test-support.js'

let bench: TestBench
const { ready, gone, holdDeploy } = useShop((opened) => (bench = opened))

describe('environments of branches', () => {
  it('builds integration with all services, and a branch with only what it changes', async () => {
    const main = bench.git.headOf('shop', 'main').slice(0, 7)
    const head = bench.git.commit('shop', 'feature/addButton', { 'orders/server.js': '2' }, 'main').slice(0, 7)
    await bench.start()
    await bench.settle()
    await bench.atRest(
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
    await bench.atRest(
      () => bench.phase('feature-x'),
      (phase) => phase === 'ready',
    )
    const ledger = await bench.ledger('feature-x')
    expect(ledger.length).toBeGreaterThan(4)
    bench.git.delete('shop', 'feature/x')
    await bench.settle()
    const [receipt] = await bench.atRest(
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

describe('pushes and deletions in any order', () => {
  it('lets a push during a run take over: only the newest commit is registered', async () => {
    const first = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    const { reached } = holdDeploy('orders', 'feature-x')
    await bench.start()
    bench.manager.requestLook()
    await reached
    bench.world.onDeploy = async () => undefined
    const second = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '3' })
    await bench.settle()
    await ready('feature-x')
    expect(bench.center.seenBy('feature-x')['orders']).toBe(`feature-x@${short(second)}`)
    expect(bench.world.copiesOf('feature-x')).toEqual([`orders@${short(second)}`])
    const states = (await bench.runs('feature-x')).map(({ state, commits }) => `${state} ${commits[0]?.commitSha}`)
    expect(states).toEqual([`succeeded ${second}`, `superseded ${first}`])
  })

  it('tears down when the branch is deleted during a run', async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    const { reached } = holdDeploy('orders', 'feature-x')
    await bench.start()
    bench.manager.requestLook()
    await reached
    bench.git.delete('shop', 'feature/x')
    await bench.settle()
    await gone('feature-x')
    expect(bench.world.copiesOf('feature-x')).toEqual([])
    expect(await bench.receipts('feature-x')).toHaveLength(1)
  })

  it('makes a new generation under the same name when the branch is pushed again after its deletion', async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
    const platformRemove = bench.world.spaces.delete.bind(bench.world.spaces)
    let pushed = ''
    bench.world.spaces.delete = (name) => {
      // The push arrives while the teardown is under way.
      if (pushed === '') pushed = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '9' }, 'main')
      bench.manager.requestLook()
      return platformRemove(name)
    }
    bench.git.delete('shop', 'feature/x')
    await bench.settle()
    const environment = await bench.atRest(
      () => bench.environment('feature-x'),
      (now) => now?.generation === 2 && now.phase === 'ready',
    )
    expect(environment?.services[0]?.deployedCommit).toBe(pushed)
    expect((await bench.receipts('feature-x')).map(({ generation }) => generation)).toEqual([1])
    expect(bench.world.copiesOf('feature-x')).toEqual([`orders@${short(pushed)}`])
  })

  it('retires the copy of a superseded commit when the branch is pushed back to what already serves', async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
    const before = bench.git.headOf('shop', 'feature/x')
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '3' })
    bench.world.sickness = () => 'never ready'
    await bench.settle()
    bench.world.sickness = () => undefined
    bench.git.branches.get('shop')?.set('feature/x', before)
    await bench.settle()
    await ready('feature-x')
    expect(bench.world.copiesOf('feature-x')).toEqual([`orders@${short(before)}`])
    expect(bench.center.seenBy('feature-x')['orders']).toBe(`feature-x@${short(before)}`)
  })

  it('removes a service that the branch no longer changes, so that calls fall back again', async () => {
    const main = bench.git.headOf('shop', 'main')
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2', 'payments/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
    const head = bench.git.commit('shop', 'feature/x', { 'payments/server.js': '1' })
    await bench.settle()
    await bench.atRest(
      () => bench.world.copiesOf('feature-x'),
      (copies) => copies.length === 1 && copies[0] === `orders@${short(head)}`,
    )
    expect(bench.center.seenBy('feature-x')['payments']).toBe(`integration@${short(main)}`)
  })
})

describe('names', () => {
  it('gives two branches with one slug two environments', async () => {
    bench.git.commit('shop', 'feature/a-b', { 'orders/server.js': '2' }, 'main')
    bench.git.commit('shop', 'feature/a_b', { 'orders/server.js': '3' }, 'main')
    await bench.start()
    await bench.settle()
    const records = (await listEnvironments(bench.store)).filter(({ name }) => name !== 'integration')
    expect(new Set(records.map(({ name }) => name)).size).toBe(2)
    expect(records.map(({ branch }) => branch).sort()).toEqual(['feature/a-b', 'feature/a_b'])
    for (const { name } of records) await ready(name)
  })
})

describe('branches that say more', () => {
  it('masks, names services, and overlays the base branch', async () => {
    bench.git.commit('shop', 'feature/base', { 'payments/server.js': '2' }, 'main')
    bench.git.commit(
      'shop',
      'feature/top',
      { 'tributary.yaml': 'apiVersion: tributary/v1\nkind: Environment\nbase: feature/base\nservices: [orders]\n' },
      'feature/base',
    )
    bench.git.commit(
      'shop',
      'feature/masked',
      { 'tributary.yaml': 'apiVersion: tributary/v1\nkind: Environment\nmask: [payments]\n' },
      'main',
    )
    await bench.start()
    await bench.settle()
    for (const name of ['feature-base', 'feature-top', 'feature-masked']) await ready(name)
    const base = short(bench.git.headOf('shop', 'feature/base'))
    const top = short(bench.git.headOf('shop', 'feature/top'))
    expect(bench.center.seenBy('feature-top')).toEqual({
      orders: `feature-top@${top}`,
      payments: `feature-base@${base}`,
    })
    expect(bench.center.seenBy('feature-masked')['payments']).toBe('masked by feature-masked')
    bench.git.delete('shop', 'feature/base')
    await bench.settle()
    await gone('feature-base')
    const environment = await bench.atRest(
      () => bench.environment('feature-top'),
      (now) => now?.base === 'integration' && now.phase === 'ready',
    )
    expect(environment?.conditions.find(({ reason }) => reason === 'BaseMissing')?.message).toContain('feature/base')
  })

  it('unites the same branch of two repositories, and goes when the last of them goes', async () => {
    await bench.store.close()
    const config = {
      repositories: ['shop', 'stock'].map((name) => ({
        name,
        url: `https://git.example/${name}`,
        integrationBranch: 'main',
      })),
    }
    const two = await TestBench.open(config)
    try {
      for (const repository of ['shop', 'stock']) {
        two.git.commit(repository, 'main', { 'service.yaml': definition(`${repository}-api`), a: '1' })
        two.git.commit(repository, 'feature/x', { a: '2' }, 'main')
      }
      await two.start()
      await two.settle()
      await two.atRest(
        () => two.phase('feature-x'),
        (phase) => phase === 'ready',
      )
      expect(two.world.copiesOf('feature-x').map((copy) => copy.split('@')[0])).toEqual(['shop-api', 'stock-api'])
      two.git.delete('stock', 'feature/x')
      await two.settle()
      await two.atRest(
        () => two.world.copiesOf('feature-x'),
        (copies) => copies.length === 1,
      )
      two.git.delete('shop', 'feature/x')
      await two.settle()
      await two.atRest(
        () => two.record('feature-x'),
        (record) => record === undefined,
      )
      expect(await two.receipts('feature-x')).toHaveLength(1)
    } finally {
      await two.close()
    }
  })
})

describe('what is left of earlier days', () => {
  it('starts the good copy again, as its own commit defines it, while a newer commit was given up on', async () => {
    const good = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
    bench.world.onDeploy = async ({ commitSha, environment }) => {
      if (environment === 'feature-x' && commitSha !== good) throw failure('PLATFORM_BUILD_FAILED', 'no')
    }
    bench.git.commit('shop', 'feature/x', { 'orders/service.yaml': definition('orders', 'dependsOn: [new]\n') })
    await bench.settle()
    await bench.atRest(
      () => bench.phase('feature-x'),
      (phase) => phase === 'degraded',
    )
    await bench.manager.idle()
    for (const [id, { environment }] of bench.world.workloads)
      if (environment === 'feature-x') bench.world.workloads.delete(id)
    bench.manager.mark('feature-x')
    await bench.atRest(
      () => bench.world.copiesOf('feature-x'),
      (copies) => copies.length === 1,
    )
    const started = [...bench.world.started.values()].filter(({ environment }) => environment === 'feature-x').at(-1)
    expect(started?.definition.dependsOn).toEqual(['payments'])
    expect(bench.center.seenBy('feature-x')['orders']).toBe(`feature-x@${short(good)}`)
  })

  it('forgets that a branch rests once the branch is gone', async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
    await requestTeardown(bench.store, 'feature-x', Date.now())
    bench.manager.mark('feature-x')
    await gone('feature-x')
    expect((await listSuspensions(bench.store)).size).toBe(1)
    bench.git.delete('shop', 'feature/x')
    await bench.settle()
    expect((await listSuspensions(bench.store)).size).toBe(0)
  })
})
