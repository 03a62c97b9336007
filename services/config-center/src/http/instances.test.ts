import { join } from 'node:path'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import type { HistoryRecord, InstanceLease, ResolvedView, ServiceEntry } from '@tributary/contract'
import { openEmbeddedStore, type RevisionedStore } from '@tributary/store'
import { eventually, ManualClock } from '@tributary/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codeOf, TestCenter } from './test-center.test-support.js'

const INSTANCE = '/v1/tenants/feature-x/entries/orders/instances/i1'
const spec = (host: string): unknown => ({ endpoints: [{ name: 'http', protocol: 'http', host, port: 80 }] })

let folder: string
let store: RevisionedStore
let clock: ManualClock
let center: TestCenter

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-leases-'))
  clock = new ManualClock()
  store = await openEmbeddedStore({ path: join(folder, 'store.db'), clock })
  center = await TestCenter.start({ store })
  await center.ok('PUT', '/v1/tenants/integration', {})
  await center.ok('PUT', '/v1/tenants/feature-x', {})
  await center.ok('PUT', '/v1/tenants/integration/entries/orders', spec('base'))
})

afterEach(async () => {
  await center.close()
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

async function owner(): Promise<string | undefined> {
  const view = await center.ok<ResolvedView>('GET', '/v1/tenants/feature-x/view')
  return view.services.orders?.owner
}

async function historyLength(): Promise<number> {
  return (await center.ok<{ records: HistoryRecord[] }>('GET', '/v1/tenants/feature-x/history')).records.length
}

describe('a leased instance', () => {
  it('is there while it sends heartbeats, which write nothing, and its base shows through when it stops', async () => {
    const lease = await center.ok<InstanceLease>('PUT', INSTANCE, { spec: spec('i1'), ttlSeconds: 10 })
    expect(lease.ttlSeconds).toBe(10)
    expect(await owner()).toBe('feature-x')
    const recorded = await historyLength()
    for (let beat = 0; beat < 5; beat += 1) {
      clock.advance(8_000)
      const again = await center.ok<InstanceLease>('PUT', INSTANCE, { spec: spec('i1'), ttlSeconds: 10 })
      expect(again.storeRevision).toBe(lease.storeRevision)
    }
    expect(await owner()).toBe('feature-x')
    clock.advance(10_001)
    await eventually(async () => expect(await owner()).toBe('integration'))
    expect(await historyLength()).toBe(recorded)
  })

  it('comes back when its heartbeat finds the lease ended', async () => {
    await center.ok('PUT', INSTANCE, { spec: spec('i1'), ttlSeconds: 10 })
    clock.advance(10_001)
    await eventually(async () => expect(await owner()).toBe('integration'))
    await center.ok('PUT', INSTANCE, { spec: spec('i1'), ttlSeconds: 10 })
    expect(await owner()).toBe('feature-x')
  })

  it('changes its spec under the same lease, and its time to live under a new one', async () => {
    await center.ok('PUT', INSTANCE, { spec: spec('i1'), ttlSeconds: 10 })
    const { catalog } = center.center.context.live
    const leaseOf = (): string | undefined => catalog.registrations('feature-x', 'orders').get('i1')?.leaseId
    const first = leaseOf()
    await center.ok('PUT', INSTANCE, { spec: spec('moved'), ttlSeconds: 10 })
    expect(leaseOf()).toBe(first)
    expect(await center.ok<ServiceEntry>('GET', '/v1/tenants/feature-x/entries/orders')).toMatchObject({
      endpoints: [{ host: 'moved' }],
    })
    await center.ok('PUT', INSTANCE, { spec: spec('moved'), ttlSeconds: 60 })
    expect(leaseOf()).not.toBe(first)
    clock.advance(30_000)
    await center.ok('PUT', '/v1/tenants/feature-x/documents/orders', {})
    expect(await owner()).toBe('feature-x')
  })

  it('leaves when it deregisters, and that is not an error twice', async () => {
    await center.ok('PUT', INSTANCE, { spec: spec('i1') })
    expect(await center.ok('DELETE', INSTANCE)).toMatchObject({ changed: true })
    expect(await owner()).toBe('integration')
    expect(await center.ok('DELETE', INSTANCE)).toMatchObject({ changed: false })
  })

  it('stands beside others of its service', async () => {
    await center.ok('PUT', INSTANCE, { spec: spec('i1') })
    await center.ok('PUT', INSTANCE.replace('i1', 'i2'), { spec: spec('i2') })
    await center.ok('PUT', '/v1/tenants/feature-x/entries/orders', spec('declared'))
    const entry = await center.ok<ServiceEntry>('GET', '/v1/tenants/feature-x/entries/orders')
    expect(entry.endpoints.map(({ host }) => host)).toEqual(['declared', 'i1', 'i2'])
    expect(entry.instances).toEqual(['i1', 'i2'])
    await center.ok('DELETE', '/v1/tenants/feature-x/entries/orders')
    expect(await owner()).toBe('integration')
  })

  it('holds no lease when it was refused', async () => {
    const granted: string[] = []
    const recording = new Proxy(store, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        if (name !== 'grantLease') return value.bind(target)
        return async (ttlMs: number) => {
          const lease = await target.grantLease(ttlMs)
          granted.push(lease.leaseId)
          return lease
        }
      },
    })
    const other = await TestCenter.start({ store: recording })
    const metadata = Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`k${index}`, '€'.repeat(256)]))
    const endpoint = { name: 'http', protocol: 'http', host: 'h'.repeat(253), port: 1 }
    const body = { spec: { endpoints: Array.from({ length: 64 }, () => endpoint), metadata } }
    const answer = await other.call('PUT', INSTANCE, { body })
    expect([answer.status, codeOf(answer)]).toEqual([400, 'ENTRY_TOO_LARGE'])
    expect(granted).toHaveLength(1)
    await expect(store.keepLeaseAlive(granted[0] ?? '')).rejects.toMatchObject({ code: 'STORE_LEASE_NOT_FOUND' })
    await other.close()
  })
})
