import { isAppError } from '@tributary/kit'
import { describeWithEtcd, type EtcdServer, eventually, watchViolations } from '@tributary/testkit'
import { expect, it } from 'vitest'
import { RecordingWriter, refusal, useEtcd } from './etcd-fixture.test-support.js'

/** Deadline of one write while members come and go: an election is part of it. */
const WRITE = { timeoutMs: 15_000 }

describeWithEtcd('a cluster of three members', () => {
  const etcd = useEtcd()

  it('keeps every acknowledged write and every guarantee while each member is killed in turn', async () => {
    const servers = await etcd.cluster(3)
    const endpoints = servers.map((server) => server.endpoint)
    const quick = { endpoints, callTimeoutMs: 1_000, watchOutageMs: 20_000 }
    const [store, reader] = [await etcd.store('', quick), await etcd.store('', quick)]
    const acknowledged = new Map<string, bigint>()
    const start = await store.currentRevision()
    const watch = etcd.watch(reader, start)
    let attempts = 0
    const write = (): Promise<void> =>
      eventually(async () => {
        // A key of its own for each attempt: one whose outcome is unknown may still appear.
        const key = `k/${++attempts}`
        const { storeRevision } = await store.transact({ compares: [], mutations: [{ kind: 'put', key, value: 'v' }] })
        acknowledged.set(key, storeRevision)
      }, WRITE)
    for (const server of servers) {
      for (let index = 0; index < 20; index++) await write()
      await server.kill()
      for (let index = 0; index < 20; index++) await write()
      await server.restart()
    }
    const { entries, storeRevision } = await store.range({ select: { prefix: '' } })
    for (const [key, revision] of acknowledged) {
      expect(entries.find((entry) => entry.key === key)?.modRevision).toBe(revision)
    }
    await watch.reaches(await store.currentRevision())
    expect(storeRevision).toBeGreaterThanOrEqual(watch.position)
    const history = new Map(entries.map((entry) => [entry.modRevision, [{ kind: 'put', entry }] as const]))
    expect(watchViolations(history, watch.whole)).toEqual([])
    expect(watch.changes).toHaveLength(entries.length)
  }, 60_000)

  it('refuses to read or write without a majority, and ends a watch on the member that is left', async () => {
    const servers = await etcd.cluster(3)
    const [left, ...others] = servers
    if (left === undefined) throw new Error('there are three members')
    const store = await etcd.store(left.endpoint, { callTimeoutMs: 1_000, watchOutageMs: 1_000 })
    const writer = new RecordingWriter(store)
    const watch = etcd.watch(store, await writer.put('a', '1'))
    await writer.put('a', '2')
    await watch.reaches(writer.last)
    await Promise.all(others.map((server) => server.kill()))
    expect(await refusal(store.range({ select: { prefix: '' } }))).toBe('STORE_UNAVAILABLE')
    expect(await refusal(writer.put('a', 'lost'))).toBe('STORE_UNAVAILABLE')
    // The connection is fine; only etcd itself can tell that this member has nobody to follow.
    expect(await watch.ending()).toBe('STORE_UNAVAILABLE')
    await restartAll(others)
    await eventually(() => writer.put('a', '3'), WRITE)
    await watch.reaches(writer.last)
    expect(isAppError(watch.error)).toBe(false)
    expect(watch.changes.at(-1)).toBe(`${writer.last}: a=3`)
  }, 60_000)
})

async function restartAll(servers: readonly EtcdServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.restart()))
}
