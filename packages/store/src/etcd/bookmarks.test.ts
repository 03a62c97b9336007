import { describeWithEtcd } from '@tributary/testkit'
import { expect, it } from 'vitest'
import { RecordingWriter, useEtcd } from './etcd-fixture.test-support.js'

describeWithEtcd('a quiet watch of etcd', () => {
  const etcd = useEtcd()

  it('is moved on by the progress that etcd reports, without a write', async () => {
    const server = await etcd.server({ args: ['--experimental-watch-progress-notify-interval=100ms'] })
    const store = await etcd.store(server.endpoint)
    const other = new RecordingWriter(await etcd.store(server.endpoint, { prefix: 'other/' }))
    const start = await store.currentRevision()
    const watch = etcd.watch(store, start)
    for (let index = 0; index < 10; index++) await other.put('a', String(index))
    await watch.reaches(other.last)
    expect(watch.changes).toEqual([])
    expect(await store.currentRevision()).toBe(start)
    const writer = new RecordingWriter(store)
    await writer.put('a', '1')
    await watch.reaches(writer.last)
    expect(watch.changes).toEqual([`${writer.last}: a=1`])
  })

  it('survives a compaction past the last change of its store, because a bookmark had moved it on', async () => {
    const server = await etcd.server()
    const proxy = await etcd.proxy(server)
    const store = await etcd.store(`http://127.0.0.1:${proxy.port}`, { bookmarkIntervalMs: 50, watchOutageMs: 10_000 })
    const other = new RecordingWriter(await etcd.store(server.endpoint, { prefix: 'other/' }))
    const watch = etcd.watch(store, await store.currentRevision())
    for (let index = 0; index < 10; index++) await other.put('a', String(index))
    await watch.reaches(other.last)
    await store.compact(other.last)
    proxy.cut()
    const writer = new RecordingWriter(await etcd.store(server.endpoint))
    await writer.put('a', '1')
    await watch.reaches(writer.last)
    expect([watch.changes, watch.endings]).toEqual([[`${writer.last}: a=1`], []])
  })

  it('writes no bookmark where nobody watches, and none while only its own store changes', async () => {
    const server = await etcd.server()
    const store = await etcd.store(server.endpoint, { bookmarkIntervalMs: 10 })
    const other = new RecordingWriter(await etcd.store(server.endpoint, { prefix: 'other/' }))
    const writer = new RecordingWriter(store)
    const start = await writer.put('a', '0')
    await other.put('a', '1')
    for (let index = 0; index < 50; index++) await writer.put('a', String(index))
    expect(writer.last).toBe(start + 51n)
    const watch = etcd.watch(store, start)
    await watch.reaches(writer.last)
    for (let index = 0; index < 50; index++) await writer.put('a', String(index))
    await watch.reaches(writer.last)
    expect(writer.last).toBe(start + 101n)
    await watch.stop()
    for (let index = 0; index < 50; index++) await other.put('a', String(index))
    expect(other.last).toBe(writer.last + 50n)
  })
})
