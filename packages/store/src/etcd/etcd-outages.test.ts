import { createServer, type Socket } from 'node:net'
import { isAppError } from '@tributary/kit'
import { describeWithEtcd, type EtcdServer, eventually, watchViolations } from '@tributary/testkit'
import { describe, expect, it } from 'vitest'
import { RecordingWriter, refusal, urlOf, useEtcd } from './etcd-fixture.test-support.js'
import type { EtcdRevisionedStore } from './etcd-revisioned-store.js'

const QUICK = { callTimeoutMs: 500, watchOutageMs: 1_000 }

async function valueOf(store: EtcdRevisionedStore, key: string): Promise<string | undefined> {
  return (await store.range({ select: { key } })).entries[0]?.value
}

describeWithEtcd('an etcd store', () => {
  const etcd = useEtcd()

  describe('whose server is frozen', () => {
    it('fails calls at their deadline, notices it on the watch by its pings, and loses nothing', async () => {
      const server = await etcd.server()
      // The pings are the default ones: every 6 s, to be answered in 3 s.
      const store = await etcd.store(server.endpoint, QUICK)
      const writer = new RecordingWriter(store)
      const watch = etcd.watch(store, await writer.put('a', '0'))
      await writer.put('a', '1')
      await watch.reaches(writer.last)
      await server.freeze()
      // At its own deadline of half a second, well before the default one of five.
      const frozenAt = performance.now()
      expect(await refusal(store.currentRevision())).toBe('STORE_UNAVAILABLE')
      expect(performance.now() - frozenAt).toBeLessThan(4_000)
      expect(await watch.ending()).toBe('STORE_UNAVAILABLE')
      expect(performance.now() - frozenAt).toBeLessThan(12_000)
      server.thaw()
      await eventually(() => writer.put('a', '2'))
      await watch.reaches(writer.last)
      await writer.put('a', '3')
      await watch.reaches(writer.last)
      expect(watchViolations(writer.history, watch.whole)).toEqual([])
    }, 40_000)
  })

  describe('whose server is killed', () => {
    it('loses no acknowledged write, and is usable as soon as the server is back', async () => {
      const server = await etcd.server()
      const store = await etcd.store(server.endpoint, QUICK)
      const start = await store.currentRevision()
      const watch = etcd.watch(store, start)
      for (let round = 0; round < 3; round++) {
        const acknowledged = await writeUntilKilled(store, { server, prefix: `round-${round}/` })
        await server.restart()
        const backAt = performance.now()
        const { entries } = await eventually(() => store.range({ select: { prefix: `round-${round}/` } }))
        expect(performance.now() - backAt).toBeLessThan(1_000)
        const present = new Set(entries.map((entry) => entry.key))
        expect(acknowledged.length).toBeGreaterThan(20)
        expect(acknowledged.filter((key) => !present.has(key))).toEqual([])
      }
      const last = await store.currentRevision()
      await watch.reaches(last)
      const { entries } = await store.range({ select: { prefix: '' } })
      const delivered = watch.whole.batches.flatMap((batch) => batch.events)
      expect(delivered.map((event) => (event.kind === 'put' ? event.entry.key : '')).sort()).toEqual(
        entries.map((entry) => entry.key).sort(),
      )
    }, 40_000)

    it('answers STORE_UNAVAILABLE meanwhile, at once, and opens again only when it is back', async () => {
      const server = await etcd.server()
      const store = await etcd.store(server.endpoint)
      await server.kill()
      const calledAt = performance.now()
      const mutations = [{ kind: 'put', key: 'a', value: '1' } as const]
      const outcomes = await Promise.allSettled([
        store.currentRevision(),
        store.range({ select: { prefix: '' } }),
        store.transact({ compares: [], mutations }),
        store.grantLease(5_000),
        store.keepLeaseAlive('12345'),
        store.revokeLease('12345'),
        store.compact(1n),
        etcd.store(server.endpoint),
      ])
      for (const outcome of outcomes) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'STORE_UNAVAILABLE', retryable: true } })
      }
      expect(performance.now() - calledAt).toBeLessThan(4_000)
      await server.restart()
      await etcd.store(server.endpoint)
    })
  })

  describe('whose connection stalls', () => {
    it('says that the outcome of a write is unknown, and never sends it twice', async () => {
      const server = await etcd.server()
      const proxy = await etcd.proxy(server)
      const direct = await etcd.store(server.endpoint)
      // Once it is left without an answer, once the connection goes after etcd has carried it out.
      for (const end of [() => undefined, () => proxy.cut()]) {
        // The second member would take it at once.
        const store = await etcd.store('', { ...QUICK, endpoints: [urlOf(proxy), server.endpoint] })
        const writer = new RecordingWriter(store)
        await writer.put('a', '0')
        const before = (await direct.range({ select: { key: 'a' } })).entries[0]?.version ?? 0n
        proxy.stall('toClient')
        const outcome = refusal(writer.put('a', '1'))
        await eventually(async () => {
          const [entry] = (await direct.range({ select: { key: 'a' } })).entries
          expect(entry?.version).toBe(before + 1n)
        })
        end()
        expect(await outcome).toBe('STORE_UNAVAILABLE')
        proxy.resume()
        await eventually(() => store.currentRevision())
        expect((await direct.range({ select: { key: 'a' } })).entries).toMatchObject([{ version: before + 1n }])
      }
    })

    it('lets a caller abort a read, and a write with an unknown outcome', async () => {
      const server = await etcd.server()
      const proxy = await etcd.proxy(server)
      const store = await etcd.store(urlOf(proxy))
      const { signal } = new AbortController()
      await store.currentRevision({ signal })
      proxy.stall('toClient')
      const abort = new AbortController()
      const read = refusal(store.range({ select: { prefix: '' } }, { signal: abort.signal }))
      const mutations = [{ kind: 'put', key: 'a', value: '1' } as const]
      const write = refusal(store.transact({ compares: [], mutations }, { signal: abort.signal }))
      abort.abort()
      expect(await read).toBe('STORE_CANCELED')
      expect(await write).toMatch(/^STORE_(UNAVAILABLE|CANCELED)$/)
      const aborted = { signal: AbortSignal.abort() }
      expect(await refusal(store.transact({ compares: [], mutations }, aborted))).toBe('STORE_CANCELED')
    })
  })

  describe('with several members', () => {
    it('goes on with another one when the first does not answer', async () => {
      const server = await etcd.server()
      const proxies = [await etcd.proxy(server), await etcd.proxy(server), await etcd.proxy(server)]
      const [first, second, third] = proxies
      if (first === undefined || second === undefined || third === undefined) throw new Error('there are three members')
      const store = await etcd.store(urlOf(first), { ...QUICK, endpoints: proxies.map(urlOf) })
      const writer = new RecordingWriter(await etcd.store(server.endpoint))
      const watch = etcd.watch(store, await writer.put('a', '0'))
      first.refuse()
      second.stall('toClient')
      expect(await store.currentRevision()).toBe(writer.last)
      await writer.put('a', '1')
      await watch.reaches(writer.last)
      expect(await valueOf(store, 'a')).toBe('1')
      third.refuse()
      second.resume()
      await eventually(async () => expect(await store.currentRevision()).toBe(writer.last))
      await writer.put('a', '2')
      await watch.reaches(writer.last)
      expect(watchViolations(writer.history, watch.whole)).toEqual([])
    })
  })

  describe('with a lease', () => {
    it('finds it again after a silence shorter than its time, and learns that it is lost after a longer one', async () => {
      const server = await etcd.server()
      const proxy = await etcd.proxy(server)
      const [direct, store] = [await etcd.store(server.endpoint), await etcd.store(urlOf(proxy), QUICK)]
      const { leaseId, ttlMs } = await store.grantLease(2_000)
      expect(ttlMs).toBe(2_000)
      const writer = new RecordingWriter(store)
      await writer.write({ kind: 'put', key: 'a', value: '1', leaseId })
      proxy.refuse()
      expect(await refusal(store.keepLeaseAlive(leaseId))).toBe('STORE_UNAVAILABLE')
      proxy.accept()
      await eventually(() => store.keepLeaseAlive(leaseId))
      expect(await valueOf(store, 'a')).toBe('1')
      proxy.refuse()
      await eventually(async () => expect(await valueOf(direct, 'a')).toBeUndefined())
      proxy.accept()
      // An outage must not be taken for the end of a lease, nor the other way round.
      const ending = await eventually(async () => {
        const code = await refusal(store.keepLeaseAlive(leaseId))
        if (code === 'STORE_UNAVAILABLE') throw new Error('still cut off')
        return code
      })
      expect(ending).toBe('STORE_LEASE_NOT_FOUND')
      const again = await store.grantLease(2_000)
      await writer.write({ kind: 'put', key: 'a', value: '2', leaseId: again.leaseId })
      expect(await valueOf(direct, 'a')).toBe('2')
    })

    it('revokes one with more keys than a transaction can delete, in one revision', async () => {
      const server = await etcd.server()
      const store = await etcd.store(server.endpoint)
      const { leaseId } = await store.grantLease(60_000)
      const writer = new RecordingWriter(store)
      for (const half of ['a', 'b']) {
        const puts = Array.from({ length: 100 }, (_, index) => `${half}/${index}`)
        await writer.write(...puts.map((key) => ({ kind: 'put', key, value: '1', leaseId }) as const))
      }
      const watch = etcd.watch(store, writer.last)
      await store.revokeLease(leaseId)
      await watch.reaches(await store.currentRevision())
      const changes = watch.whole.batches.filter((batch) => batch.events.length > 0)
      expect(changes.map((batch) => [batch.storeRevision, batch.events.length])).toEqual([[writer.last + 1n, 200]])
    })
  })

  describe('that is closed', () => {
    it('ends what was under way and leaves no connection behind', async () => {
      const server = await etcd.server()
      const proxy = await etcd.proxy(server)
      const store = await etcd.store(urlOf(proxy), { callTimeoutMs: 60_000 })
      const watch = etcd.watch(store, await store.currentRevision())
      await new RecordingWriter(store).put('a', '1')
      await store.grantLease(60_000)
      await watch.reaches(await store.currentRevision())
      proxy.stall('toClient')
      const pending = [refusal(store.currentRevision()), refusal(store.grantLease(60_000))]
      // One connection for each of reads and writes, leases, and watches, and one that asked for the version.
      expect(proxy.open).toBe(4)
      await store.close()
      expect(await Promise.all(pending)).toEqual(['STORE_CLOSED', 'STORE_CLOSED'])
      expect(await watch.ending()).toBe('STORE_CLOSED')
      await eventually(() => expect(proxy.open).toBe(0))
    })
  })

  it('does not pile up connections at a server that takes them and says nothing', async () => {
    const server = await etcd.server()
    const proxy = await etcd.proxy(server)
    // It holds for opening too, and a busy machine may need another try.
    const store = await eventually(() => etcd.store(urlOf(proxy), { callTimeoutMs: 100 }))
    proxy.stall('toClient')
    const accepted = proxy.accepted
    for (let call = 0; call < 10; call++) expect(await refusal(store.currentRevision())).toBe('STORE_UNAVAILABLE')
    expect(proxy.accepted).toBeLessThanOrEqual(accepted + 1)
    proxy.resume()
    await eventually(() => store.currentRevision())
  })

  it('is not opened on something that is no etcd', async () => {
    const sockets = new Set<Socket>()
    const listener = createServer((socket) => sockets.add(socket.on('error', () => undefined)))
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
    const address = listener.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    expect(await refusal(etcd.store(`http://127.0.0.1:${port}`, QUICK))).toBe('STORE_UNAVAILABLE')
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => listener.close(resolve))
  })
})

/** Writes as fast as it can from several sides, and kills the server in the middle. Answers the keys of the acknowledged writes. */
async function writeUntilKilled(
  store: EtcdRevisionedStore,
  { server, prefix }: { readonly server: EtcdServer; readonly prefix: string },
): Promise<string[]> {
  const acknowledged: string[] = []
  let killed: Promise<void> | undefined
  const write = async (side: number): Promise<void> => {
    for (let index = 0; killed === undefined; index++) {
      const key = `${prefix}${side}/${index}`
      try {
        await store.transact({ compares: [], mutations: [{ kind: 'put', key, value: 'v' }] })
        acknowledged.push(key)
      } catch (error) {
        if (!isAppError(error, 'STORE_UNAVAILABLE')) throw error
      }
      if (acknowledged.length > 50) killed ??= server.kill()
    }
  }
  await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(write))
  await killed
  return acknowledged
}
