import type {
  Explanation,
  GrayImpact,
  GrayRelease,
  HistoryRecord,
  ResolvedView,
  Subscription,
  WriteResult,
} from '@tributary/contract'
import { startConfigCenter, type ConfigCenter } from '../start.js'
import { StreamClient } from '../testing/stream-client.test-support.js'
import { openEmbeddedStore, type RevisionedStore } from '@tributary/store'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createConfigCenterClient, type ConfigCenterClient } from '@tributary/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codeOf, TestCenter } from './test-center.test-support.js'

const RELEASE = '/v1/tenants/integration/gray-releases/orders'

describe('a gray release', () => {
  let center: TestCenter

  beforeEach(async () => {
    center = await TestCenter.start()
    await center.ok('PUT', '/v1/tenants/integration', { base: null })
    await center.ok('PUT', '/v1/tenants/feature-x', {})
    await center.ok('PUT', '/v1/tenants/integration/documents/orders', { pageSize: 10, colour: 'red' })
  })

  afterEach(async () => {
    await center.close()
  })

  const viewOf = async (query: string, tenant = 'integration'): Promise<unknown> =>
    (await center.ok<ResolvedView>('GET', `/v1/tenants/${tenant}/view?service=orders${query}`)).config['orders']

  it('is seen by the instances that it names, and by nobody else, not over it either', async () => {
    await center.ok('PUT', RELEASE, { patch: { pageSize: 99 }, instances: ['i-1'] })
    expect(await viewOf('&instance=i-1')).toEqual({ pageSize: 99, colour: 'red' })
    for (const query of ['', '&instance=i-2']) expect(await viewOf(query)).toEqual({ pageSize: 10, colour: 'red' })
    expect(await viewOf('&instance=i-1', 'feature-x')).toEqual({ pageSize: 10, colour: 'red' })
  })

  it('follows changes of the document below it, keeps its draw when it grows, and is listed', async () => {
    await center.ok('PUT', RELEASE, { patch: { pageSize: 99 }, percent: 1 })
    await center.ok('PUT', RELEASE, { patch: { pageSize: 98 }, percent: 100 })
    await center.ok('PATCH', '/v1/tenants/integration/documents/orders', { colour: 'blue' })
    expect(await viewOf('&instance=any')).toEqual({ pageSize: 98, colour: 'blue' })
    const { releases } = await center.ok<{ releases: GrayRelease[] }>('GET', '/v1/tenants/integration/gray-releases')
    expect(releases).toMatchObject([
      { tenant: 'integration', service: 'orders', percent: 100, actor: 'bootstrap (admin)' },
    ])
    expect(releases[0]).toEqual(await center.ok('GET', RELEASE))
  })

  it('becomes the document by promotion, in one write that history shows', async () => {
    await center.ok('PUT', RELEASE, { patch: { pageSize: 99, colour: null }, instances: ['i-1'] })
    await center.ok('POST', `${RELEASE}/promote`)
    expect(await viewOf('')).toEqual({ pageSize: 99 })
    const { records } = await center.ok<{ records: HistoryRecord[] }>('GET', '/v1/tenants/integration/history')
    expect(records[0]).toMatchObject({ reason: 'gray release promoted' })
    expect(records[0]?.changes.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual([
      'document orders',
      'gray orders',
    ])
    expect(records[1]?.changes).toMatchObject([{ kind: 'gray', before: null, after: { instances: ['i-1'] } }])
    const again = await center.call('POST', `${RELEASE}/promote`)
    expect([again.status, codeOf(again)]).toEqual([404, 'GRAY_RELEASE_NOT_FOUND'])
  })

  it('leaves no trace in any view when it is aborted, and can be rolled over', async () => {
    await center.ok('PUT', RELEASE, { patch: { pageSize: 99 }, instances: ['i-1'] })
    const { storeRevision } = await center.ok<WriteResult>('DELETE', RELEASE)
    expect(await viewOf('&instance=i-1')).toEqual({ pageSize: 10, colour: 'red' })
    const toRevision = String(BigInt(storeRevision) - 1n)
    expect(
      (await center.call('POST', '/v1/tenants/integration/rollback', { body: { toRevision, scope: 'all' } })).status,
    ).toBe(200)
  })

  it('is explained to whom it reaches, and told to all others', async () => {
    await center.ok('PUT', RELEASE, { patch: { pageSize: 99 }, instances: ['i-1'] })
    const path = '/v1/tenants/integration/explain?service=orders&path=/pageSize'
    const member = await center.ok<Explanation>('GET', `${path}&instance=i-1`)
    expect(member).toMatchObject({ result: 99, layers: [{ source: 'orders (gray)', effect: 'effective' }] })
    const other = await center.ok<Explanation>('GET', path)
    expect(other).toMatchObject({ result: 10, layers: [{ source: 'orders' }], gray: { patch: { pageSize: 99 } } })
  })

  it('is checked as if it were promoted, and goes with its tenant', async () => {
    await center.ok('PUT', '/v1/tenants/integration/entries/orders', { endpoints: [] })
    await center.ok('PUT', '/v1/tenants/integration/schemas/orders', { properties: { pageSize: { maximum: 50 } } })
    const refused = await center.call('PUT', RELEASE, { body: { patch: { pageSize: 99 }, percent: 10 } })
    expect([refused.status, codeOf(refused)]).toEqual([422, 'SCHEMA_VIOLATION'])
    await center.ok('PUT', RELEASE, { patch: { pageSize: 50 }, percent: 10 })
    await center.ok('DELETE', '/v1/tenants/integration?dependents=reparent')
    await center.ok('PUT', '/v1/tenants/integration', { base: null })
    expect((await center.call('GET', RELEASE)).status).toBe(404)
  })

  it('is tried by who may read, with the violations that its promotion would bring', async () => {
    await center.ok('PUT', '/v1/tenants/integration/entries/orders', { endpoints: [] })
    await center.ok('PUT', '/v1/tenants/integration/schemas/orders', { properties: { pageSize: { maximum: 50 } } })
    const token = await center.token('viewer')
    const body = { patch: { pageSize: 99 }, instances: ['i-1'] }
    const tried = await center.call<GrayImpact>('POST', `${RELEASE}/preview`, { body, token })
    expect(tried.body).toMatchObject({ refused: true, violations: [{ path: '/pageSize' }], reach: { members: 0 } })
    const wrong = await center.call('POST', `${RELEASE}/preview`, { body: { patch: {} }, token })
    expect([wrong.status, codeOf(wrong)]).toEqual([400, 'INVALID_REQUEST'])
    const nowhere = '/v1/tenants/nowhere/gray-releases/orders/preview'
    expect((await center.call('POST', nowhere, { body, token })).status).toBe(404)
    const own = await center.token('tenant', 'integration')
    expect((await center.call('POST', `${RELEASE}/preview`, { body, token: own })).status).toBe(403)
  })

  it('is refused without members or with two kinds of them, for * and for who may not write', async () => {
    for (const body of [{ patch: {} }, { patch: {}, percent: 5, instances: ['a'] }, { patch: {}, percent: 0 }]) {
      expect((await center.call('PUT', RELEASE, { body })).status).toBe(400)
    }
    const body = { patch: {}, percent: 5 }
    expect((await center.call('PUT', '/v1/tenants/integration/gray-releases/*', { body })).status).toBe(400)
    expect((await center.call('PUT', RELEASE, { body, token: await center.token('viewer') })).status).toBe(403)
    const stale = await center.call('PUT', `${RELEASE}?expectedRevision=7`, { body })
    expect([stale.status, codeOf(stale)]).toEqual([409, 'REVISION_CONFLICT'])
  })
})

describe('a gray release on live streams', () => {
  let folder: string
  let store: RevisionedStore
  let center: ConfigCenter
  let client: ConfigCenterClient
  let followers: StreamClient[]

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tributary-gray-'))
    store = await openEmbeddedStore({ path: join(folder, 'store.db') })
    center = await start()
    client = createConfigCenterClient({ baseUrl: center.url, token: center.adminToken ?? '' })
    await client.applyTenant('integration', { base: null })
    await client.applyDocument({ tenant: 'integration', service: 'orders' }, { pageSize: 10 })
    followers = ['i-1', 'i-2'].map((instance) => {
      const options = { tenant: 'integration', service: 'orders', instance }
      return new StreamClient({ ...options, token: center.adminToken ?? '', channels: 'view,routes' })
    })
    for (const follower of followers) {
      await follower.connect(center.url)
      await follower.until(() => pageSize(follower) === 10)
    }
  })

  afterEach(async () => {
    for (const follower of followers) follower.cut()
    await center.close()
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })

  const start = () => startConfigCenter({ store, adminTokenFile: join(folder, 'admin.token') })
  const pageSize = (follower: StreamClient): unknown =>
    (follower.view.items.get('config/orders') as { pageSize?: unknown } | undefined)?.pageSize
  const orders = { tenant: 'integration', service: 'orders' }

  async function report(...reporting: StreamClient[]): Promise<void> {
    for (const follower of reporting) {
      const appliedRevision = String(follower.view.revision)
      await client.reportApplied(follower.hello?.subscriptionId ?? '', { appliedRevision })
    }
  }

  it('reaches a member alone, takes it back when it is aborted, and breaks no promise of the stream', async () => {
    const [member, other] = followers as [StreamClient, StreamClient]
    const begun = await client.applyGrayRelease(orders, { patch: { pageSize: 99 }, instances: ['i-1'] })
    await member.until(() => pageSize(member) === 99)
    const waiting = await client.convergence({ revision: begun.storeRevision })
    expect(waiting.laggards.map(({ instance }) => instance)).toEqual(['i-1'])
    await report(member)
    expect(await client.convergence({ revision: begun.storeRevision })).toMatchObject({ converged: true, affected: 1 })
    const { subscriptions } = await client.listSubscriptions()
    expect(subscriptions.map(({ instance, gray }: Subscription) => [instance, gray ?? false]).sort()).toEqual([
      ['i-1', true],
      ['i-2', false],
    ])
    const aborted = await client.abortGrayRelease(orders)
    await member.until(() => pageSize(member) === 10)
    const back = await client.convergence({ revision: aborted.storeRevision })
    expect(back.laggards.map(({ instance }) => instance)).toEqual(['i-1'])
    expect(pageSize(other)).toBe(10)
    await client.patchDocument(orders, { pageSize: 11 })
    for (const follower of followers) await follower.until(() => pageSize(follower) === 11)
    for (const { view, routes } of followers) expect([...view.violations, ...routes.violations]).toEqual([])
  })

  it('reaches the others by promotion, while members keep what they have', async () => {
    const [member, other] = followers as [StreamClient, StreamClient]
    await client.applyGrayRelease(orders, { patch: { pageSize: 99 }, instances: ['i-1'] })
    await member.until(() => pageSize(member) === 99)
    await client.promoteGrayRelease(orders)
    await other.until(() => pageSize(other) === 99)
    await client.patchDocument(orders, { pageSize: 12 })
    for (const follower of followers) await follower.until(() => pageSize(follower) === 12)
    for (const { view } of followers) expect(view.violations).toEqual([])
  })

  it('is tried without being begun, and then reaches exactly those that the trial named', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `more-${index}`)
    for (const instance of names) {
      const options = { tenant: 'integration', service: 'orders', instance, token: center.adminToken ?? '' }
      const follower = new StreamClient(options)
      followers.push(follower)
      await follower.connect(center.url)
      await follower.until(() => pageSize(follower) === 10)
    }
    await client.applyTenant('feature-x', {})
    const over = new StreamClient({ tenant: 'feature-x', service: 'orders', token: center.adminToken ?? '' })
    followers.push(over)
    await over.connect(center.url)
    await over.until(() => pageSize(over) === 10)
    const spec = { patch: { pageSize: 99, colour: 'red' }, percent: 40 }
    const tried = await client.previewGrayRelease(orders, spec)
    expect(tried).toMatchObject({ underWay: false, refused: false, pathCount: 2, violations: [] })
    expect(tried.paths).toMatchObject([
      { path: '/colour', after: 'red', absent: 'before' },
      { path: '/pageSize', before: 10, after: 99 },
    ])
    const { members, instances, others, ...rest } = tried.reach ?? { members: 0, instances: [], others: 0 }
    expect([members + others, instances.length]).toEqual([22, members])
    expect(rest).toEqual({ nameless: 0, overlaying: 1, overlayingTenants: 1 })
    expect(await client.listGrayReleases('integration')).toMatchObject({ releases: [] })

    await client.applyGrayRelease(orders, { ...spec, draw: tried.draw })
    const { subscriptions } = await client.listSubscriptions({ tenant: 'integration' })
    const reached = subscriptions.filter(({ gray }) => gray === true).map(({ instance }) => instance)
    expect(reached.sort()).toEqual(instances)
    const more = await client.previewGrayRelease(orders, { ...spec, percent: 100 })
    expect(more).toMatchObject({ underWay: true, draw: tried.draw, reach: { members: 22, others: 0 } })
  })

  it('survives a restart, and members who come back get what they had', async () => {
    const [member, other] = followers as [StreamClient, StreamClient]
    await client.applyGrayRelease(orders, { patch: { pageSize: 99 }, instances: ['i-1'] })
    await member.until(() => pageSize(member) === 99)
    await center.close()
    center = await start()
    for (const follower of followers) await follower.connect(center.url)
    await member.until(() => member.frames.some(({ event }) => event === 'view.resumed'))
    await other.until(() => other.frames.some(({ event }) => event === 'view.resumed'))
    expect([pageSize(member), pageSize(other)]).toEqual([99, 10])
    for (const { view } of followers) expect(view.violations).toEqual([])
  })
})
