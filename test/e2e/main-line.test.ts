import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRepositories, linkSdk } from '../../examples/shop/create-repositories.mjs'
import { GitFixture } from '../support/git-fixture.js'
import { isFree, keysOf, pathsOf, processesBelow } from '../support/left-over.js'
import { isGone, PlatformFixture } from '../support/platform.js'
import { waitFor } from '../support/wait-for.js'

/** What every service of the shop answers: who it is, and what the services that it called answered. */
interface Answer {
  readonly service: string
  readonly tenant: string
  readonly version: string
  readonly error?: string
}
interface Orders extends Answer {
  readonly pageSize: number
  readonly buttons: readonly string[]
  readonly inventory: Answer
  readonly payments: Answer & { readonly feePercent: number; readonly callback: Answer }
}

const BUTTONS = (...buttons: string[]) => ({
  'orders/buttons.mjs': `export const BUTTONS = ${JSON.stringify(buttons)}\n`,
})
const ordersOf = (platform: PlatformFixture, environment: string) => platform.get<Orders>(environment, '/orders/orders')

/** One system for the whole story: each test goes on where the one before has ended, as a team's day does. */
describe('the main line, with real git pushes to two repositories', () => {
  let platform: PlatformFixture
  let shop: GitFixture
  let payments: GitFixture

  beforeAll(async () => {
    platform = await PlatformFixture.prepare()
    const git = path.join(platform.directory, 'git')
    await mkdir(git)
    const contextFile = path.join(platform.data, 'context.json')
    const urls = await createRepositories({ directory: git, contextFile })
    await linkSdk(platform.directory)
    shop = await GitFixture.open(urls.shop, path.join(git, 'shop-clone'))
    payments = await GitFixture.open(urls.payments, path.join(git, 'payments-clone'))
    await platform.writeConfig({ repositories: { ...urls }, settings: { pollSeconds: 1, drainSeconds: 1 } })
    await platform.start()
    await platform.untilReady('integration')
  })

  afterAll(async () => {
    await platform.remove()
  })

  it('builds integration from main with every service of both repositories', async () => {
    const environment = await platform.envManager.getEnvironment('integration')
    expect(environment.services.map(({ name }) => name).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      'inventory',
      'orders',
      'payments',
      'web',
    ])
    const answer = await ordersOf(platform, 'integration')
    expect([answer.tenant, answer.inventory.tenant, answer.payments.tenant]).toEqual(Array(3).fill('integration'))
    expect(answer.version).toMatch(/^v1\.0-0-[0-9a-f]+$/)
  })

  it('runs only what a branch changes, and falls back for the rest', async () => {
    const commit = await shop.push('feature/addButton', BUTTONS('pay', 'gift'))
    const environment = await platform.untilReady('feature-addbutton', { orders: commit })
    expect(environment.services.map(({ name }) => name)).toEqual(['orders'])
    const answer = await ordersOf(platform, 'feature-addbutton')
    expect(answer).toMatchObject({ service: 'orders', tenant: 'feature-addbutton', buttons: ['pay', 'gift'] })
    expect([answer.inventory.tenant, answer.payments.tenant]).toEqual(['integration', 'integration'])
    expect((await ordersOf(platform, 'integration')).buttons).toEqual(['pay'])
  })

  it('keeps a call back in the environment that the request started in', async () => {
    const answer = await ordersOf(platform, 'feature-addbutton')
    expect([answer.payments.tenant, answer.payments.callback.tenant]).toEqual(['integration', 'feature-addbutton'])
    expect(answer.payments.callback.version).toBe(answer.version)
    expect((await ordersOf(platform, 'integration')).payments.callback.tenant).toBe('integration')
  })

  it('reaches the environment’s copies from services that it does not own', async () => {
    const answer = await platform.get<Answer & { readonly orders: Orders }>('feature-addbutton', '/web/')
    expect(answer.tenant).toBe('integration')
    expect(answer.orders).toMatchObject({ tenant: 'feature-addbutton', buttons: ['pay', 'gift'] })
    expect(answer.orders.payments.callback.tenant).toBe('feature-addbutton')
    const base = await platform.get<Answer & { readonly orders: Orders }>('integration', '/web/')
    expect([base.orders.tenant, base.orders.payments.callback.tenant]).toEqual(['integration', 'integration'])
  })

  it('never mixes up environments that share a process', async () => {
    const environments = Array.from({ length: 40 }, (_, index) =>
      index % 2 === 0 ? 'feature-addbutton' : 'integration',
    )
    const answers = await Promise.all(environments.map((environment) => ordersOf(platform, environment)))
    expect(answers.map(({ tenant }) => tenant)).toEqual(environments)
    expect(answers.map(({ payments }) => payments.callback.tenant)).toEqual(environments)
    expect(new Set(answers.map(({ payments }) => payments.tenant))).toEqual(new Set(['integration']))
  })

  it('makes one environment of the same branch in two repositories', async () => {
    const commit = await payments.push('feature/addButton', { 'notes.txt': 'a fee of our own\n' })
    await platform.untilReady('feature-addbutton', { payments: commit })
    const answer = await ordersOf(platform, 'feature-addbutton')
    expect([answer.tenant, answer.inventory.tenant, answer.payments.tenant]).toEqual([
      'feature-addbutton',
      'integration',
      'feature-addbutton',
    ])
    // payments has a copy of its own here, so its call back stays in the environment.
    expect(answer.payments.callback.tenant).toBe('feature-addbutton')
  })

  it('keeps two environments apart', async () => {
    const commit = await payments.push('feature/fees', { 'notes.txt': 'another fee\n' })
    await platform.untilReady('feature-fees', { payments: commit })
    // integration/orders serves feature/fees by fallback, and calls the payments of the environment that the request is of.
    expect((await ordersOf(platform, 'feature-fees')).payments.tenant).toBe('feature-fees')
    const answer = await platform.get<Orders['payments']>('feature-fees', '/payments/quote?amount=10')
    expect(answer.tenant).toBe('feature-fees')
    expect((await ordersOf(platform, 'feature-addbutton')).payments.tenant).toBe('feature-addbutton')
    expect((await ordersOf(platform, 'integration')).payments.tenant).toBe('integration')
  })

  it('changes config in a running service within a second, in that environment alone', async () => {
    const before = await ordersOf(platform, 'feature-addbutton')
    const startedAt = performance.now()
    const written = await platform.configCenter.patchDocument(
      { tenant: 'feature-addbutton', service: 'orders' },
      { pageSize: before.pageSize + 3 },
      { waitMs: 5_000 },
    )
    expect(written.convergence).toMatchObject({ converged: true, laggards: [] })
    const after = await waitFor('the new page size', async () => {
      const answer = await ordersOf(platform, 'feature-addbutton')
      return answer.pageSize === before.pageSize + 3 && answer
    })
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    expect(after.version).toBe(before.version)
    expect((await ordersOf(platform, 'integration')).pageSize).toBe(before.pageSize)
  })

  it('lets a change of integration through to whoever does not override it', async () => {
    await platform.configCenter.patchDocument({ tenant: 'integration', service: 'inventory' }, { lowStockBelow: 99 })
    await platform.configCenter.patchDocument({ tenant: 'integration', service: 'orders' }, { pageSize: 7 })
    await waitFor('integration to show seven', async () => (await ordersOf(platform, 'integration')).pageSize === 7)
    const { services } = await platform.configCenter.getView('feature-addbutton')
    expect(services['inventory']).toMatchObject({ state: 'inherited', owner: 'integration' })
    const explained = await platform.configCenter.explain('feature-addbutton', { service: 'orders', path: '/pageSize' })
    expect(explained.result).toBe(5)
    expect(explained.layers.map(({ tenant, effect }) => [tenant, effect])).toContainEqual(['integration', 'shadowed'])
  })

  it('rolls config back to what it was at a revision', async () => {
    const { records } = await platform.configCenter.history('feature-addbutton', { service: 'orders' })
    const before = records[1]?.storeRevision ?? ''
    await platform.configCenter.rollback(
      'feature-addbutton',
      { toRevision: before, scope: 'documents' },
      { waitMs: 5_000 },
    )
    const answer = await waitFor('the page size of before', async () => {
      const now = await ordersOf(platform, 'feature-addbutton')
      return now.pageSize !== 5 && now
    })
    // The branch did not change the default, so what it had before was integration's value, which is 7 by now.
    expect(answer.pageSize).toBe(7)
  })

  it('deploys the next push, and rolls the service back to the run before', async () => {
    const earlier = await platform.envManager.getEnvironment('feature-addbutton')
    const first = earlier.services.find(({ name }) => name === 'orders')?.deployedCommit ?? ''
    const second = await shop.push('feature/addButton', BUTTONS('pay', 'gift', 'cancel'))
    await platform.untilReady('feature-addbutton', { orders: second })
    expect((await ordersOf(platform, 'feature-addbutton')).buttons).toEqual(['pay', 'gift', 'cancel'])
    await platform.envManager.rollbackService('feature-addbutton', 'orders')
    await waitFor(
      'the copy of before',
      async () => (await ordersOf(platform, 'feature-addbutton')).buttons.length === 2,
    )
    const environment = await platform.untilReady('feature-addbutton')
    expect(environment.services.find(({ name }) => name === 'orders')?.deployedCommit).toBe(first)
  })

  it('stacks a branch on another one', async () => {
    const commit = await shop.push(
      'feature/stacked',
      {
        'tributary.yaml': 'apiVersion: tributary/v1\nkind: Environment\nbase: feature/addButton\n',
        'inventory/notes.txt': 'more stock\n',
      },
      { from: 'feature/addButton' },
    )
    const environment = await platform.untilReady('feature-stacked', { inventory: commit })
    expect(environment.base).toBe('feature-addbutton')
    expect(environment.services.map(({ name }) => name)).toEqual(['inventory'])
    const topology = await platform.envManager.getTopology('feature-stacked')
    expect(topology.chain).toEqual(['feature-stacked', 'feature-addbutton', 'integration'])
    const owners = Object.fromEntries(topology.nodes.map(({ service, owner }) => [service, owner]))
    expect(owners).toEqual({
      inventory: 'feature-stacked',
      orders: 'feature-addbutton',
      payments: 'feature-addbutton',
      web: 'integration',
    })
    // Each service answers from its own environment, for the request of a third one; the call back goes two levels down again.
    const answer = await ordersOf(platform, 'feature-stacked')
    expect([answer.tenant, answer.inventory.tenant, answer.payments.tenant, answer.payments.callback.tenant]).toEqual([
      'feature-addbutton',
      'feature-stacked',
      'feature-addbutton',
      'feature-addbutton',
    ])
  })

  it('hides a masked service instead of falling back', async () => {
    await shop.push('feature/masked', {
      ...BUTTONS('pay', 'mask'),
      'tributary.yaml': 'apiVersion: tributary/v1\nkind: Environment\nmask: [inventory]\n',
    })
    await platform.untilReady('feature-masked')
    const answer = await ordersOf(platform, 'feature-masked')
    expect(answer.payments.tenant).toBe('integration')
    expect(answer.inventory.error).toMatch(/masked/)
    const explained = await platform.envManager.explainCall('feature-masked', 'inventory')
    expect(explained).toMatchObject({ rule: 'masked', owner: 'feature-masked', endpoints: [] })
    await expect(platform.get('feature-masked', '/inventory/stock')).rejects.toThrow(/404.*masked/s)
  })

  it('keeps the last good copy while a service.yaml is bad, and says where it is bad', async () => {
    await shop.push('feature/masked', {
      'orders/service.yaml': 'apiVersion: tributary/v1\nkind: Service\nname: orders\nport: 80\n',
    })
    const condition = await waitFor('a condition that names the file', async () => {
      const environment = await platform.envManager.getEnvironment('feature-masked')
      return environment.conditions.find(
        ({ status, message }) => status === 'False' && message.includes('orders/service.yaml:4'),
      )
    })
    expect(condition.message).toMatch(/port/)
    expect((await ordersOf(platform, 'feature-masked')).buttons).toEqual(['pay', 'mask'])
  })

  it('keeps the environment while one of its repositories still has the branch', async () => {
    await shop.delete('feature/addButton')
    await waitFor(
      'orders to fall back',
      async () => (await ordersOf(platform, 'feature-addbutton')).tenant === 'integration',
    )
    const environment = await waitFor('payments to be all that is left', async () => {
      const now = await platform.envManager.getEnvironment('feature-addbutton')
      return now.phase === 'ready' && now.services.length === 1 && now
    })
    expect(environment.services.map(({ name }) => name)).toEqual(['payments'])
  })

  it('leaves a receipt and nothing else when the last of the branches is gone', async () => {
    const topology = await platform.envManager.getTopology('feature-addbutton')
    const own = topology.nodes.filter(({ state }) => state === 'own')
    const ports = own.flatMap(({ endpoints }) => endpoints.map(({ port }) => port))
    expect(ports.length).toBeGreaterThan(0)
    const ledger = await platform.envManager.listLedger('feature-addbutton')

    await payments.delete('feature/addButton')
    await platform.untilGone('feature-addbutton')

    const [receipt] = (await platform.envManager.listReceipts('feature-addbutton')).receipts
    expect(receipt?.reason).toBe('branch_deleted')
    const proven = new Set(receipt?.resources.map(({ kind, id }) => `${kind} ${id}`))
    for (const { kind, id } of ledger.lines) expect(proven).toContain(`${kind} ${id}`)
    expect((await platform.envManager.listLedger('feature-addbutton')).lines).toEqual([])
    expect(await isGone(platform.configCenter.getTenant('feature-addbutton'))).toBe(true)
    expect(await Promise.all(ports.map(isFree))).toEqual(ports.map(() => true))
    expect(await pathsOf(platform.data, 'feature-addbutton')).toEqual([])
  })

  it('gives the stacked environment the base of the one that went', async () => {
    const stacked = await waitFor('the new base', async () => {
      const tenant = await platform.configCenter.getTenant('feature-stacked')
      return tenant.base === 'integration' && tenant
    })
    expect(stacked.chain).toEqual(['feature-stacked', 'integration'])
  })

  it('leaves no process, path or key of any environment that is gone', async () => {
    for (const branch of ['feature/stacked', 'feature/masked']) await shop.delete(branch)
    await payments.delete('feature/fees')
    const names = ['feature-stacked', 'feature-masked', 'feature-fees']
    for (const name of names) await platform.untilGone(name)
    expect((await platform.configCenter.listTenants()).tenants.map(({ name }) => name)).toEqual(['integration'])
    expect((await platform.envManager.listEnvironments()).environments.map(({ name }) => name)).toEqual(['integration'])
    expect(await platform.stop()).toBe(0)
    expect(await processesBelow(platform.data)).toEqual([])
    for (const name of [...names, 'feature-addbutton']) {
      expect(await keysOf(platform.data, name)).toEqual([])
      expect(await pathsOf(platform.data, name)).toEqual([])
    }
  })
})
