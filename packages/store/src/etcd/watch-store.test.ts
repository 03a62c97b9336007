import { isAppError } from '@tributary/kit'
import { describeWithEtcd, EtcdServer, eventually, watchViolations } from '@tributary/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { EtcdStoreOptions } from './etcd-options.js'
import { RecordingWriter, urlOf, useEtcd } from './etcd-fixture.test-support.js'

const MIB = 1024 * 1024
/** For watches that are not to end: to write what they catch up with takes longer than a brisk outage where the disk is slow. */
const PATIENT: Partial<EtcdStoreOptions> = { watchOutageMs: 60_000 }
/** Fast enough for tests; the server is told to allow pings that often. */
const BRISK: Partial<EtcdStoreOptions> = {
  callTimeoutMs: 1_000,
  keepalive: { timeMs: 500, timeoutMs: 300 },
  watchOutageMs: 1_000,
}

describeWithEtcd('a watch of etcd', () => {
  const etcd = useEtcd()
  let server: EtcdServer
  let prefix = ''
  let tests = 0
  beforeAll(async () => {
    server = await EtcdServer.start({ args: ['--grpc-keepalive-min-time=200ms'] })
  })
  beforeEach(() => {
    tests += 1
    prefix = `test-${tests}/`
  })
  afterAll(async () => {
    await server.stop()
  })

  /** A writer with a good connection, and a reader behind a proxy. */
  async function writerAndReader(options: Partial<EtcdStoreOptions> = {}) {
    const proxy = await etcd.proxy(server)
    const direct = await etcd.store(server.endpoint, { prefix })
    const reader = await etcd.store(urlOf(proxy), { ...BRISK, prefix, ...options })
    return { proxy, direct, reader, writer: new RecordingWriter(direct) }
  }

  describe('whose connection breaks', () => {
    it('loses nothing when it breaks again, and again, while it catches up', async () => {
      const { proxy, reader, writer } = await writerAndReader()
      const start = await writer.put('before', '0')
      const watch = etcd.watch(reader, start)
      await writer.put('live', '0')
      await watch.reaches(writer.last)
      proxy.refuse()
      for (let index = 0; index < 200; index++) await writer.put(`k/${index}`, 'v'.repeat(100))
      // Enough for the answer that the watch is created, not for the 200 events that follow it.
      proxy.cutAfter(6_000)
      const refused = proxy.accepted
      proxy.accept()
      await eventually(() => expect(proxy.accepted).toBeGreaterThan(refused + 5))
      proxy.cutAfter(undefined)
      await watch.reaches(writer.last)
      expect(watchViolations(writer.history, watch.whole)).toEqual([])
      expect(watch.changes).toHaveLength(201)
    })

    it('goes on in silence after cuts and resets between changes', async () => {
      const { proxy, reader, writer } = await writerAndReader(PATIENT)
      const watch = etcd.watch(reader, await writer.put('a', '0'))
      for (let round = 1; round <= 6; round++) {
        await writer.put('a', String(round))
        if (round % 2 === 0) proxy.reset()
        else proxy.cut()
        await writer.write({ kind: 'put', key: 'b', value: String(round) }, { kind: 'put', key: 'c', value: 'x' })
        await watch.reaches(writer.last)
      }
      expect(watchViolations(writer.history, watch.whole)).toEqual([])
      expect(watch.endings).toEqual([])
    })

    it('catches up over far more than gRPC takes in one message by default', async () => {
      const { proxy, reader, writer } = await writerAndReader(PATIENT)
      const watch = etcd.watch(reader, await writer.put('k/0', 'first'))
      await writer.put('k/1', 'first')
      await watch.reaches(writer.last)
      proxy.refuse()
      for (let index = 0; index < 12; index++) await writer.put(`k/${index % 3}`, `${index}`.padEnd(MIB, '.'))
      proxy.accept()
      await watch.reaches(writer.last)
      expect(watchViolations(writer.history, watch.whole)).toEqual([])
      expect(watch.endings).toEqual([])
    })

    it('delivers a revision in one batch even when etcd has to send it in pieces', async () => {
      const { reader, writer } = await writerAndReader()
      // With the values that they replace, these changes are over 5 MiB: etcd cuts them at 1.5 MiB.
      const half = (value: string) =>
        ['a', 'b'].map((key) => ({ kind: 'put', key, value: value.repeat(0.7 * MIB) }) as const)
      const start = await writer.write(...half('1'))
      await writer.write(...half('2'))
      await writer.write(...half('3'))
      const watch = etcd.watch(reader, start)
      await watch.reaches(writer.last)
      expect(watchViolations(writer.history, watch.whole)).toEqual([])
      expect(watch.whole.batches.map((batch) => batch.events.length)).toEqual([2, 2])
    })

    it('ends with STORE_UNAVAILABLE when it stays broken, and goes on from there later', async () => {
      const { proxy, reader, writer } = await writerAndReader()
      const watch = etcd.watch(reader, await writer.put('a', '0'))
      await writer.put('a', '1')
      await watch.reaches(writer.last)
      proxy.refuse()
      await writer.put('a', '2')
      expect(await watch.ending()).toBe('STORE_UNAVAILABLE')
      proxy.accept()
      await watch.reaches(writer.last)
      expect(watchViolations(writer.history, watch.whole)).toEqual([])
    })

    it('notices within the time of a ping that one direction carries nothing any more', async () => {
      for (const direction of ['toClient', 'toServer'] as const) {
        const { proxy, reader, writer } = await writerAndReader()
        const watch = etcd.watch(reader, await writer.put('a', direction))
        await writer.put('a', '1')
        await watch.reaches(writer.last)
        const stalledAt = performance.now()
        proxy.stall(direction)
        await writer.put('a', '2')
        expect(await watch.ending()).toBe('STORE_UNAVAILABLE')
        // Ping and its answer, then one second of new connections that are not answered in time either.
        expect(performance.now() - stalledAt).toBeLessThan(5_000)
        proxy.resume()
        await watch.reaches(writer.last)
        expect(watchViolations(writer.history, watch.whole)).toEqual([])
      }
    })
  })

  describe('whose history is compacted', () => {
    it('while it was away is told so, with the revision', async () => {
      const { proxy, direct, reader, writer } = await writerAndReader()
      const watch = etcd.watch(reader, await writer.put('a', '0'))
      await writer.put('a', '1')
      await watch.reaches(writer.last)
      proxy.refuse()
      for (let index = 0; index < 20; index++) await writer.put('b', String(index))
      await direct.compact(writer.last)
      proxy.accept()
      expect(await watch.ending()).toBe('STORE_COMPACTED')
      expect(isAppError(watch.error) && watch.error.details).toEqual({ compactedRevision: String(writer.last) })
    })

    it('up to exactly its next revision is told so, because the delete there is gone', async () => {
      const { direct, reader, writer } = await writerAndReader()
      const start = await writer.put('a', '0')
      const deleted = await writer.delete('a')
      await direct.compact(deleted)
      const watch = etcd.watch(reader, start)
      expect(await watch.ending()).toBe('STORE_COMPACTED')
      expect(isAppError(watch.error) && watch.error.details).toEqual({ compactedRevision: String(deleted) })
      expect(watch.changes).toEqual([])
      const next = etcd.watch(reader, deleted)
      await writer.put('a', '1')
      await next.reaches(writer.last)
      expect(next.changes).toEqual([`${writer.last}: a=1`])
    })

    it('up to a lease that ended there is told so as well', async () => {
      const { direct, reader, writer } = await writerAndReader()
      const { leaseId } = await direct.grantLease(1_000)
      const start = await writer.write({ kind: 'put', key: 'a', value: '0', leaseId })
      await eventually(async () => expect((await direct.range({ select: { key: 'a' } })).entries).toEqual([]))
      const ended = (await direct.range({ select: { key: 'a' } })).storeRevision
      expect(ended).toBe(start + 1n)
      await direct.compact(ended)
      const watch = etcd.watch(reader, start)
      expect(await watch.ending()).toBe('STORE_COMPACTED')
      expect(watch.changes).toEqual([])
    })
  })

  describe('that shares etcd with other stores', () => {
    it('sees nothing of them, and is not moved by them', async () => {
      const { direct, reader, writer } = await writerAndReader()
      const start = await writer.put('a', '0')
      const other = new RecordingWriter(await etcd.store(server.endpoint, { prefix: `${prefix.slice(0, -1)}0/` }))
      const watch = etcd.watch(reader, start)
      await other.put('a', 'theirs')
      expect(await direct.currentRevision()).toBe(start)
      expect((await direct.range({ select: { prefix: '' } })).entries.map((entry) => entry.value)).toEqual(['0'])
      await writer.put('a', '1')
      await watch.reaches(writer.last)
      expect(watch.changes).toEqual([`${writer.last}: a=1`])
      expect(writer.last).toBeGreaterThan(start + 1n)
    })

    it('is brought up to their revision while it is quiet, by one of its replicas', async () => {
      const often = { prefix, bookmarkIntervalMs: 100 }
      const replicas = [await etcd.store(server.endpoint, often), await etcd.store(server.endpoint, often)]
      const [first, second] = replicas
      if (first === undefined || second === undefined) throw new Error('there are two replicas')
      const start = await first.currentRevision()
      const watches = replicas.map((store) => etcd.watch(store, start))
      const other = new RecordingWriter(await etcd.store(server.endpoint, { prefix: `${prefix.slice(0, -1)}0/` }))
      for (let index = 0; index < 20; index++) await other.put('a', String(index))
      await Promise.all(watches.map((watch) => watch.reaches(other.last)))
      expect(watches.flatMap((watch) => watch.changes)).toEqual([])
      const reached = await first.currentRevision()
      expect(reached).toBeGreaterThan(other.last)
      expect(await second.currentRevision()).toBe(reached)
      // Now nothing is behind any more: no bookmark follows a bookmark.
      await eventually(async () => expect((await first.range({ select: { prefix: '' } })).storeRevision).toBe(reached))
      await first.compact(reached)
      await Promise.all(watches.map((watch) => watch.stop()))
      expect(watches.map((watch) => watch.error)).toEqual([undefined, undefined])
    })
  })

  it('keeps every guarantee through random cuts, resets, stalls and compactions', { timeout: 60_000 }, async () => {
    const { proxy, reader, direct, writer } = await writerAndReader()
    const start = await direct.currentRevision()
    const watches = [etcd.watch(reader, start), etcd.watch(reader, start)]
    const faults = [
      () => proxy.cut(),
      () => proxy.reset(),
      () => proxy.cutAfter(20_000),
      () => proxy.cutAfter(undefined),
      () => proxy.stall('toClient'),
      () => proxy.stall('toServer'),
      () => proxy.resume(),
    ]
    let state = 7
    // A fixed sequence of pseudo-random numbers, so that a failure can be repeated.
    const random = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below
    for (let index = 0; index < 600; index++) {
      await writer.write(
        { kind: 'put', key: `k/${index % 5}`, value: 'x'.repeat(random(2_000)) },
        { kind: 'put', key: `l/${index % 3}`, value: String(index) },
      )
      if (random(15) === 0) faults[random(faults.length)]?.()
      if (index % 100 === 99) {
        proxy.resume()
        proxy.cutAfter(undefined)
        await Promise.all(watches.map((watch) => watch.reaches(writer.last)))
        await direct.compact(writer.last)
      }
    }
    for (const watch of watches) {
      expect(watchViolations(writer.history, watch.whole)).toEqual([])
      for (const record of watch.records) expect(watchViolations(writer.history, record)).toEqual([])
      expect(watch.changes).toHaveLength(600)
    }
  })
})
