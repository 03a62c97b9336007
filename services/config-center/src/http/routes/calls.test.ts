import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createConfigCenterClient, type ConfigCenterClient } from '@tributary/client'
import { LATENCY_BUCKETS_MS, type CallsReport } from '@tributary/contract'
import { openEmbeddedStore, type RevisionedStore } from '@tributary/store'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startConfigCenter, type ConfigCenter } from '../../start.js'
import { StreamClient } from '../../testing/stream-client.test-support.js'

const NO_LATENCY = [...LATENCY_BUCKETS_MS, Infinity].map(() => 0)

const report = (more: Partial<CallsReport> = {}): CallsReport => ({
  reporter: 'a'.repeat(32),
  sequence: 1,
  calls: [{ tenant: 'feature-x', to: 'orders', calls: 5, errors: 2, latency: NO_LATENCY }],
  leaks: [{ kind: 'dropped', tenant: 'feature-x', peer: 'orders', route: 'GET /callback', count: 3 }],
  refusedContexts: { tenant_unknown: 4 },
  uncounted: 0,
  ...more,
})

describe('reports of calls', () => {
  let folder: string
  let store: RevisionedStore
  let center: ConfigCenter
  let admin: ConfigCenterClient
  let integrationToken: string
  const streams: StreamClient[] = []

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tributary-calls-'))
    store = await openEmbeddedStore({ path: join(folder, 'store.db') })
    center = await startConfigCenter({ store, adminTokenFile: join(folder, 'admin.token') })
    admin = clientOf(center.adminToken ?? '')
    await admin.applyTenant('integration', { base: null })
    await admin.applyTenant('feature-x', {})
    integrationToken = (await admin.createToken({ name: 'i', role: 'tenant', tenant: 'integration' })).token
  })

  afterEach(async () => {
    for (const stream of streams.splice(0)) stream.cut()
    await center.close()
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })

  const clientOf = (token: string) => createConfigCenterClient({ baseUrl: center.url, token })

  const subscribe = async (service?: string): Promise<string> => {
    const stream = new StreamClient({
      tenant: 'integration',
      token: integrationToken,
      ...(service === undefined ? {} : { service }),
    })
    streams.push(stream)
    await stream.connect(center.url)
    await stream.until(() => stream.hello !== undefined)
    return stream.hello?.subscriptionId ?? ''
  }

  it('are shown by tenant and edge, under the name of the subscription, once', async () => {
    const subscription = await subscribe('payments')
    const payments = clientOf(integrationToken)
    await payments.reportCalls(subscription, report())
    await payments.reportCalls(subscription, report())
    const observed = await admin.getCalls('feature-x')
    expect(observed.edges).toMatchObject([{ from: 'payments', to: 'orders', calls: 5, errors: 2, leaks: 3 }])
    expect(observed.leaks).toMatchObject([
      { kind: 'dropped', from: 'payments', to: 'orders', route: 'GET /callback', count: 3 },
    ])
    expect((await admin.listLeaks()).leaks).toEqual(observed.leaks)
  })

  it('are counted once although the process has reconnected in between', async () => {
    const payments = clientOf(integrationToken)
    await payments.reportCalls(await subscribe('payments'), report())
    await payments.reportCalls(await subscribe('payments'), report())
    expect((await admin.getCalls('feature-x')).edges).toMatchObject([{ calls: 5 }])
  })

  it('come from the subscriber’s own tenant only, with a service, and in a bounded form', async () => {
    const subscription = await subscribe('payments')
    const feature = await admin.createToken({ name: 'x', role: 'tenant', tenant: 'feature-x' })
    const stranger = clientOf(feature.token).reportCalls(subscription, report())
    await expect(stranger).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    const nameless = clientOf(integrationToken).reportCalls(await subscribe(), report())
    await expect(nameless).rejects.toMatchObject({ code: 'SUBSCRIPTION_WITHOUT_SERVICE' })
    const [calls] = report().calls
    const tooMany = report({ calls: Array.from({ length: 501 }, () => calls ?? never()) })
    await expect(admin.reportCalls(subscription, report())).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    const refused = clientOf(integrationToken).reportCalls(subscription, tooMany)
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    expect((await admin.getCalls('feature-x')).edges).toEqual([])
  })

  it('go with their tenant', async () => {
    await clientOf(integrationToken).reportCalls(await subscribe('payments'), report())
    await admin.deleteTenant('feature-x')
    await expect(admin.getCalls('feature-x')).rejects.toMatchObject({ code: 'TENANT_NOT_FOUND' })
    await admin.applyTenant('feature-x', {})
    expect(await admin.getCalls('feature-x')).toMatchObject({ edges: [], leaks: [] })
  })

  it('can be read by the tenant itself, and by no other tenant', async () => {
    const other = clientOf(integrationToken)
    await expect(other.getCalls('feature-x')).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    await expect(other.listLeaks()).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    expect((await other.getCalls('integration')).edges).toEqual([])
  })

  it('are counters for Prometheus with closed labels, for viewers', async () => {
    const payments = clientOf(integrationToken)
    const subscription = await subscribe('payments')
    await payments.reportCalls(subscription, report())
    await payments.reportCalls(subscription, report())
    const metrics = (token: string) => fetch(`${center.url}/metrics`, { headers: { authorization: `Bearer ${token}` } })
    expect((await metrics(integrationToken)).status).toBe(403)
    const viewer = await admin.createToken({ name: 'v', role: 'viewer' })
    const answer = await metrics(viewer.token)
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    const lines = (await answer.text()).split('\n')
    expect(lines).toEqual(
      expect.arrayContaining([
        'config_center_calls_total{outcome="ok"} 3',
        'config_center_calls_total{outcome="error"} 2',
        'config_center_calls_leaks_total{kind="dropped"} 3',
        'config_center_calls_leaks_total{kind="misrouted"} 0',
        'config_center_calls_refused_contexts_total{reason="tenant_unknown"} 4',
        'config_center_calls_reports_total{result="repeated"} 1',
        'config_center_calls_edges 1',
        'config_center_stream_subscribers 1',
      ]),
    )
    expect(lines.some((line) => line.includes('feature-x') || line.includes('payments'))).toBe(false)
  })
})

function never(): never {
  throw new Error('the sample report has calls')
}
