import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@tributary/kit'
import { openEmbeddedStore, openEtcdStore, type RevisionedStore } from '@tributary/store'
import { describeWithEtcd, EtcdServer, eventually } from '@tributary/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { LEADER_KEY, Leadership, type LeaderAddress } from './leadership.js'

let store: RevisionedStore
let stopping: AbortController
const leaders: Leadership[] = []

async function campaign(url: string, onWaiting?: (leader: LeaderAddress) => void): Promise<Leadership> {
  const more = onWaiting === undefined ? {} : { onWaiting }
  const { signal } = stopping
  const won = await Leadership.campaign({ store, clock: systemClock, url, signal, leaseMs: 60_000, ...more })
  leaders.push(won)
  return won
}

const put = (key: string) => ({ compares: [], mutations: [{ kind: 'put', key, value: '' } as const] })

async function exists(key: string): Promise<boolean> {
  return (await store.range({ select: { key } })).entries.length > 0
}

/** The lease ends, as it does in the store when its leader is asleep for too long. */
async function endLease(): Promise<void> {
  const { entries } = await store.range({ select: { key: LEADER_KEY } })
  await store.revokeLease(entries[0]?.leaseId ?? '')
}

describe('leadership on an embedded store', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tributary-leadership-'))
  })
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })
  describeLeadership(() => openEmbeddedStore({ path: join(folder, 'store.db') }))
})

describeWithEtcd('leadership on etcd', () => {
  let etcd: EtcdServer
  beforeAll(async () => {
    etcd = await EtcdServer.start()
  })
  afterAll(async () => {
    await etcd.stop()
  })
  describeLeadership(() => openEtcdStore({ endpoints: [etcd.endpoint], prefix: `${randomUUID()}/` }))
})

function describeLeadership(open: () => Promise<RevisionedStore>): void {
  beforeEach(async () => {
    store = await open()
    stopping = new AbortController()
  })

  afterEach(async () => {
    stopping.abort()
    for (const leader of leaders.splice(0)) await leader.resign()
    await store.close()
  })

  it('is held by one of several that want it, and passed on when that one resigns', async () => {
    const first = await campaign('http://first')
    const waiting: LeaderAddress[] = []
    let led = false
    const second = campaign('http://second', (leader) => waiting.push(leader)).finally(() => (led = true))
    await eventually(() => expect(waiting).toEqual([{ url: 'http://first' }]))
    expect(led).toBe(false)
    await first.resign()
    await (await second).store.transact(put('em/x'))
    expect(await exists('em/x')).toBe(true)
  })

  it('tells those who wait where clients are to go, when the leader was told', async () => {
    const [clock, advertisedUrl] = [systemClock, 'https://tributary.example']
    const { signal } = stopping
    leaders.push(await Leadership.campaign({ store, clock, url: 'http://a', advertisedUrl, signal, leaseMs: 60_000 }))
    const waiting: LeaderAddress[] = []
    const second = campaign('http://b', (leader) => waiting.push(leader))
    await eventually(() => expect(waiting).toEqual([{ url: 'http://a', advertisedUrl }]))
    stopping.abort(new Error('enough'))
    await expect(second).rejects.toThrow('enough')
  })

  it('is given to exactly one of ten that ask at the same moment', async () => {
    const asked = Array.from({ length: 10 }, (_, index) => campaign(`http://${index}`))
    await Promise.race(asked)
    await eventually(async () => expect(await exists(LEADER_KEY)).toBe(true))
    expect(leaders).toHaveLength(1)
    stopping.abort(new Error('enough'))
    const outcomes = await Promise.allSettled(asked)
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('of an earlier incarnation writes nothing, whatever its transaction asks for', async () => {
    const deposed = await campaign('http://deposed')
    await endLease()
    const current = await campaign('http://current')
    await expect(deposed.store.transact(put('em/late'))).rejects.toMatchObject({ code: 'NOT_LEADER' })
    await expect(deposed.store.compact(1n)).rejects.toMatchObject({ code: 'NOT_LEADER' })
    expect(await exists('em/late')).toBe(false)
    expect({ deposed: deposed.lost.aborted, current: current.lost.aborted }).toEqual({ deposed: true, current: false })
    await current.store.transact(put('em/late'))
    expect(await exists('em/late')).toBe(true)
  })

  it('does not mistake a condition of the caller that fails for its own end', async () => {
    const leader = await campaign('http://leader')
    const absent = { select: { key: LEADER_KEY }, target: 'version', op: '=', value: 0n } as const
    expect(await leader.store.transact({ ...put('em/x'), compares: [absent] })).toMatchObject({ succeeded: false })
    expect(leader.lost.aborted).toBe(false)
  })

  it('writes nothing either while nobody leads', async () => {
    const deposed = await campaign('http://deposed')
    await endLease()
    await expect(deposed.store.transact(put('em/late'))).rejects.toMatchObject({ code: 'NOT_LEADER' })
    expect(await exists('em/late')).toBe(false)
  })

  it('is lost when the lease could not be renewed for its time to live', async () => {
    const { signal } = stopping
    const deaf: RevisionedStore = Object.assign(Object.create(store) as RevisionedStore, {
      grantLease: (ttlMs: number) => store.grantLease(ttlMs),
      transact: (request: Parameters<RevisionedStore['transact']>[0]) => store.transact(request),
      range: (request: Parameters<RevisionedStore['range']>[0]) => store.range(request),
      revokeLease: (leaseId: string) => store.revokeLease(leaseId),
      keepLeaseAlive: () => new Promise<void>(() => undefined),
    })
    const leader = await Leadership.campaign({ store: deaf, clock: systemClock, url: 'x', signal, leaseMs: 200 })
    leaders.push(leader)
    expect(leader.lost.aborted).toBe(false)
    await eventually(() => expect(leader.lost.aborted).toBe(true))
  })
}
