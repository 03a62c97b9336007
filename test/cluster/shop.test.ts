import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Receipt } from '@tributary/contract'
import { describeWithCluster } from '@tributary/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createRepositories } from '../../examples/shop/create-repositories.mjs'
import { GitFixture } from '../support/git-fixture.js'
import { ROOT } from '../support/platform.js'
import { waitFor } from '../support/wait-for.js'
import { ClusterPlatform } from './support/cluster-platform.js'
import { buildImage } from './support/shop-images.js'

/** What every service of the shop answers: who it is, and what the services that it called answered. */
interface Answer {
  readonly service: string
  readonly tenant: string
  readonly version: string
}
interface Orders extends Answer {
  readonly pageSize: number
  readonly buttons: readonly string[]
  readonly inventory: Answer
  readonly payments: Answer & { readonly callback: Answer }
}

const INSTANCE = `kube-shop-${process.pid % 10_000}`
const FEATURE = 'feature-add-button'
const ORDERS = path.join(ROOT, 'examples/shop/repositories/shop/orders/service.yaml')
const BUTTONS = (...buttons: string[]) => ({
  'orders/buttons.mjs': `export const BUTTONS = ${JSON.stringify(buttons)}\n`,
})

/** One system for the whole story: each test goes on where the one before has ended. */
describeWithCluster('the example shop on real pods', () => {
  let folder: string
  let platform: ClusterPlatform
  let shop: GitFixture
  let urls: Record<string, string>
  let firstCommit: string
  let receipt: Receipt | undefined

  const ordersOf = (environment: string): Promise<Orders> =>
    platform.getFromPod<Orders>(environment, 'orders', { url: 'http://orders/orders', tenant: environment })
  /** Pushes, then builds the image that the push needs, as a CI would: the deploy waits for it. */
  const pushShop = async (files: Record<string, string | null>): Promise<string> => {
    const commit = await shop.push('feature/add-button', files)
    await buildImage(shop.url, commit, { name: 'shop', program: 'web/server.mjs' })
    return commit
  }

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tributary-shop-on-pods-'))
    const git = path.join(folder, 'git')
    await mkdir(git)
    urls = { ...(await createRepositories({ directory: git })) }
    shop = await GitFixture.open(urls['shop'] ?? '', path.join(folder, 'shop-clone'))
    await buildImage(shop.url, 'main', { name: 'shop', program: 'web/server.mjs' })
    await buildImage(urls['payments'] ?? '', 'main', { name: 'payments', program: 'server.mjs' })
    platform = await ClusterPlatform.prepare({ instance: INSTANCE, repositories: urls })
    await platform.startManager()
  }, 180_000)

  afterAll(async () => {
    await platform.remove()
    await rm(folder, { recursive: true, force: true })
  }, 180_000)

  it('builds integration from main: a pod for each service, and names that answer', async () => {
    const environment = await platform.untilReady('integration')
    expect(environment.services.map(({ name }) => name).sort()).toEqual(['inventory', 'orders', 'payments', 'web'])
    const answer = await ordersOf('integration')
    expect([answer.tenant, answer.inventory.tenant, answer.payments.tenant]).toEqual(Array(3).fill('integration'))
  })

  it('runs one pod for a branch that changes one service', async () => {
    firstCommit = await pushShop(BUTTONS('pay', 'gift'))
    const environment = await platform.untilReady(FEATURE, { orders: firstCommit })
    expect(environment.services.map(({ name }) => name)).toEqual(['orders'])
    // A copy that was tried before its image was there may still be going.
    const podsOf = (): Promise<string> =>
      platform.kubectl(['get', 'pods', '-n', platform.namespaceOf(FEATURE), '-o', 'name'])
    await waitFor('one pod', async () => (await podsOf()).split('\n').length === 1, { timeoutMs: 60_000 })
  })

  it('falls back with the SDK, and keeps calls back in the environment', async () => {
    const answer = await ordersOf(FEATURE)
    expect(answer).toMatchObject({ tenant: FEATURE, buttons: ['pay', 'gift'] })
    expect([answer.inventory.tenant, answer.payments.tenant]).toEqual(['integration', 'integration'])
    expect(answer.payments.callback).toMatchObject({ tenant: FEATURE, version: answer.version })
    expect((await ordersOf('integration')).payments.callback.tenant).toBe('integration')
  })

  it('falls back without an SDK: the names of services that the branch does not own lead to integration', async () => {
    const inventory = await platform.getFromPod<Answer>(FEATURE, 'orders', { url: 'http://inventory/stock' })
    expect(inventory).toMatchObject({ service: 'inventory', tenant: 'integration' })
    const web = await platform.getFromPod<Answer>(FEATURE, 'orders', { url: 'http://web:8080/' })
    expect(web).toMatchObject({ service: 'web', tenant: 'integration' })
    const own = await platform.getFromPod<Answer>(FEATURE, 'orders', { url: 'http://orders/orders' })
    expect(own).toMatchObject({ service: 'orders', tenant: FEATURE })
  })

  it('reaches the environment’s copy from a shared service, by the routing context', async () => {
    const request = { url: 'http://web/', tenant: FEATURE }
    const answer = await platform.getFromPod<Answer & { orders: Orders }>('integration', 'web', request)
    expect(answer.tenant).toBe('integration')
    expect(answer.orders).toMatchObject({ tenant: FEATURE, buttons: ['pay', 'gift'] })
  })

  it('changes config in a running pod, in that environment alone', async () => {
    const before = await ordersOf(FEATURE)
    const target = { tenant: FEATURE, service: 'orders' }
    const written = await platform.configCenter.patchDocument(target, { pageSize: 5 }, { waitMs: 5_000 })
    expect(written.convergence).toMatchObject({ converged: true, laggards: [] })
    const after = await ordersOf(FEATURE)
    expect([before.pageSize, after.pageSize]).toEqual([2, 5])
    expect(after.version).toBe(before.version)
    expect((await ordersOf('integration')).pageSize).toBe(2)
  })

  it('lets the name of a service follow it into the environment, and out again', async () => {
    const commit = await pushShop({ 'inventory/notes.txt': 'more stock\n' })
    await platform.untilReady(FEATURE, { inventory: commit })
    const request = { url: 'http://inventory/stock' }
    const stock = (): Promise<Answer> => platform.getFromPod<Answer>(FEATURE, 'orders', request)
    // A name server may go on with its last answer for as long as it said: 5 to 30 s.
    const isOwn = async (): Promise<boolean> => (await stock()).tenant === FEATURE
    await waitFor('inventory to be the environment’s own', isOwn, { timeoutMs: 40_000 })
    await pushShop({ 'inventory/notes.txt': null })
    const hasOrdersAlone = async (): Promise<boolean> => (await platform.untilReady(FEATURE)).services.length === 1
    await waitFor('the environment to have orders alone', hasOrdersAlone, { timeoutMs: 60_000 })
    await waitFor('inventory to be integration’s', async () => !(await isOwn()), { timeoutMs: 40_000 })
  })

  it('rolls a service back to the run before', async () => {
    const second = await pushShop(BUTTONS('pay', 'gift', 'cancel'))
    await platform.untilReady(FEATURE, { orders: second })
    // A node may lead to the pod before for about a second after its end has begun: kube-proxy collects changes.
    const areThere = (buttons: number) => async (): Promise<boolean> =>
      (await ordersOf(FEATURE)).buttons.length === buttons
    await waitFor('the copy of the push', areThere(3), { timeoutMs: 5_000 })
    await platform.envManager.rollbackService(FEATURE, 'orders')
    await waitFor('the copy of before', areThere(2), { timeoutMs: 60_000, everyMs: 250 })
    await platform.untilReady(FEATURE)
  })

  it('deploys a service when its image is named, whatever it is called, and not before', async () => {
    const before = await readFile(ORDERS, 'utf8')
    const commit = await shop.push('feature/add-button', { 'orders/service.yaml': `${before}deploy: { on: image }\n` })
    const isWaiting = async (): Promise<boolean> => {
      const { conditions } = await platform.envManager.getEnvironment(FEATURE)
      return conditions.some(({ reason }) => reason === 'WaitingForImage')
    }
    await waitFor('the environment to wait for the image', isWaiting, { timeoutMs: 60_000 })
    expect((await ordersOf(FEATURE)).tenant).toBe(FEATURE)
    const image = await buildImage(shop.url, commit, { name: 'built-elsewhere', program: 'web/server.mjs' })
    const taken = await platform.envManager.takeImage(FEATURE, { service: 'orders', commitSha: commit, image })
    expect(taken).toEqual({ outcome: 'deploys' })
    await platform.untilReady(FEATURE, { orders: commit })
    const deployment = ['get', 'deployment', 'orders', '-n', platform.namespaceOf(FEATURE), '-o']
    expect(await platform.kubectl([...deployment, 'jsonpath={.spec.template.spec.containers[0].image}'])).toBe(image)
  })

  it('leaves nothing but a receipt that names every object when the branch is deleted', async () => {
    const { lines } = await platform.envManager.listLedger(FEATURE)
    const before = await platform.leftOver(FEATURE)
    expect(before.length).toBeGreaterThan(5)
    await shop.delete('feature/add-button')
    await platform.untilGone(FEATURE)
    receipt = (await platform.envManager.listReceipts(FEATURE)).receipts[0]
    const proven = new Set(receipt?.resources.map(({ kind, id }) => `${kind} ${id}`))
    for (const { kind, id } of lines) expect(proven).toContain(`${kind} ${id}`)
    const namespace = platform.namespaceOf(FEATURE)
    expect(proven).toContain(`namespace ${namespace}`)
    expect(proven).toContain(`release ${namespace}/orders`)
    expect(proven).toContain(`service ${namespace}/inventory`)
    expect(await platform.leftOver(FEATURE)).toEqual([])
    expect(await platform.kubectl(['get', 'namespace', namespace, '--ignore-not-found'])).toBe('')
  })
})
