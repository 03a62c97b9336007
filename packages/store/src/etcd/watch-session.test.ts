import { isAppError } from '@tributary/kit'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '@tributary/testkit'
import { useEtcd } from './etcd-fixture.test-support.js'
import { headEvent, putEvent, ScriptedEtcd, type WatchScript } from './scripted-etcd.test-support.js'

const LARGE = 2n ** 53n

describe('a watch of an etcd that misbehaves', () => {
  const etcd = useEtcd()
  let server: ScriptedEtcd | undefined
  afterEach(() => server?.stop())

  async function watchOf(script: WatchScript, options: { after: bigint; bookmarkIntervalMs?: number }) {
    const { after, bookmarkIntervalMs = 60_000 } = options
    server = await ScriptedEtcd.start(script)
    const store = await etcd.store(server.endpoint, { bookmarkIntervalMs, callTimeoutMs: 2_000 })
    return { server, watch: etcd.watch(store, after) }
  }

  /** First revisions that were asked for, stream by stream. */
  function asked({ asked }: ScriptedEtcd): (string | number | undefined)[] {
    return asked.map((create) => create.start_revision)
  }

  it('asks for everything below its prefix, with previous values, progress and fragments', async () => {
    const { server, watch } = await watchOf((stream) => stream.created(5n), { after: 5n })
    await eventually(() => expect(server.asked).toHaveLength(1))
    expect(server.asked[0]).toMatchObject({ start_revision: '6', prev_kv: true, progress_notify: true, fragment: true })
    expect([server.asked[0]?.key, server.asked[0]?.range_end].map(String)).toEqual(['test/', 'test0'])
    await watch.stop()
  })

  it('asks again when a transaction is missing, and delivers nothing that lies behind the gap', async () => {
    const { server, watch } = await watchOf(
      (stream, attempt) => {
        stream.created(5n)
        if (attempt > 1) stream.send({ events: [putEvent('a', 6n), headEvent(6n, 5n)] })
        stream.send({ events: [putEvent('b', 7n), headEvent(7n, 6n)] })
      },
      { after: 5n },
    )
    await watch.reaches(7n)
    expect(watch.changes).toEqual(['6: a=a@6', '7: b=b@7'])
    expect(asked(server)).toEqual(['6', '6'])
  })

  it('has its consumer list again when the transaction stays missing', async () => {
    const script: WatchScript = (stream) => {
      stream.created(5n)
      stream.send({ events: [putEvent('b', 7n), headEvent(7n, 6n)] })
    }
    const { server, watch } = await watchOf(script, { after: 5n })
    server.compactedRevision = 6n
    expect(await watch.ending()).toBe('STORE_COMPACTED')
    expect(isAppError(watch.error) && watch.error.details).toEqual({ compactedRevision: '6' })
    expect(watch.changes).toEqual([])
  })

  it('has its consumer list again when a previous value was compacted away on its way', async () => {
    const event = putEvent('a', 6n, 3n)
    const { server, watch } = await watchOf(
      (stream) => {
        stream.created(5n)
        stream.send({ events: [{ type: 'Put', kv: event.kv } as typeof event, headEvent(6n, 5n)] })
      },
      { after: 5n },
    )
    server.compactedRevision = 6n
    expect(await watch.ending()).toBe('STORE_COMPACTED')
    expect(watch.changes).toEqual([])
  })

  it('puts fragments together, and forgets half a revision when the stream breaks in it', async () => {
    const [first, second] = [putEvent('a', 6n), putEvent('b', 6n)]
    const { server, watch } = await watchOf(
      (stream, attempt) => {
        stream.created(5n)
        stream.send({ events: [first], fragment: true })
        if (attempt === 1) return stream.cut()
        stream.send({ events: [second, headEvent(6n, 5n), putEvent('c', 7n)], fragment: true })
        stream.send({ events: [headEvent(7n, 6n)] })
      },
      { after: 5n },
    )
    await watch.reaches(7n)
    expect(watch.changes).toEqual(['6: a=a@6, b=b@6', '7: c=c@7'])
    expect(asked(server)).toEqual(['6', '6'])
  })

  it('drops what comes twice, and what it did not ask for', async () => {
    const { watch } = await watchOf(
      (stream) => {
        stream.created(5n)
        stream.send({ events: [putEvent('old', 4n)] })
        for (const _ of [1, 2]) stream.send({ events: [putEvent('a', 6n), headEvent(6n, 5n)] })
        stream.send({ events: [putEvent('b', 7n), headEvent(7n, 6n)] })
      },
      { after: 5n },
    )
    await watch.reaches(7n)
    expect(watch.changes).toEqual(['6: a=a@6', '7: b=b@7'])
  })

  it('takes progress for a bookmark, and goes on after it', async () => {
    const { server, watch } = await watchOf(
      (stream, attempt) => {
        stream.created(5n)
        if (attempt > 1) return
        stream.send({ header: { revision: '900' } as never })
        stream.cut()
      },
      { after: 5n },
    )
    await watch.reaches(900n)
    expect(watch.whole.batches).toEqual([{ storeRevision: 900n, events: [] }])
    await eventually(() => expect(asked(server)).toEqual(['6', '901']))
  })

  it('keeps revisions exact beyond what a JavaScript number can hold', async () => {
    const { server, watch } = await watchOf(
      (stream) => {
        stream.created(LARGE)
        stream.send({ events: [putEvent('a', LARGE + 1n), headEvent(LARGE + 1n, LARGE)] })
        stream.send({ events: [putEvent('a', LARGE + 3n, LARGE + 1n), headEvent(LARGE + 3n, LARGE + 1n)] })
      },
      { after: LARGE },
    )
    await watch.reaches(LARGE + 3n)
    expect(watch.changes).toEqual([`${LARGE + 1n}: a=a@${LARGE + 1n}`, `${LARGE + 3n}: a=a@${LARGE + 3n}`])
    expect(asked(server)).toEqual([String(LARGE + 1n)])
  })

  it('asks again when it is canceled for no reason, or not answered at all', async () => {
    const { server, watch } = await watchOf(
      (stream, attempt) => {
        if (attempt === 1) return stream.send({ canceled: true, compact_revision: '0', cancel_reason: '' })
        if (attempt === 2) return
        stream.created(5n)
        stream.send({ events: [putEvent('a', 6n), headEvent(6n, 5n)] })
      },
      { after: 5n },
    )
    await watch.reaches(6n)
    expect(asked(server)).toEqual(['6', '6', '6'])
    expect(watch.endings).toEqual([])
  })

  it('asks again when the stream is silent about a change that a read shows', async () => {
    const { server, watch } = await watchOf(
      (stream, attempt) => {
        stream.created(5n)
        if (attempt > 1) stream.send({ events: [putEvent('a', 6n), headEvent(6n, 5n)] })
      },
      { after: 5n, bookmarkIntervalMs: 30 },
    )
    server.headRevision = 6n
    await watch.reaches(6n)
    expect(asked(server)).toEqual(['6', '6'])
  })
})
