import { isAppError } from '@tributary/kit'
import { describe, expect, it } from 'vitest'
import type { StoreUnderTest } from './harness.js'
import {
  changes,
  deleteOf,
  EVERYTHING,
  refusal,
  find,
  keyOf,
  put,
  putOf,
  replay,
  WatchProbe,
  write,
} from './store-actions.js'

/** Order, atomicity, resumption, bookmarks and ends of watches. */
export function watchRules(test: StoreUnderTest): void {
  describe('a watch', () => {
    contents(test)
    resumption(test)
  })
  describe('the end of a watch', () => {
    ends(test)
  })
}

function contents(test: StoreUnderTest): void {
  it('delivers what happened after a past revision, then what happens', async () => {
    const start = await put(test.store, 'a', '0')
    await put(test.store, 'a', '1')
    const probe = new WatchProbe(test.store, EVERYTHING, start)
    await probe.reaches(start + 1n)
    await put(test.store, 'a', '2')
    await probe.reaches(start + 2n)
    await probe.stop()
    const seen = changes(probe.batches).map(({ storeRevision, events }) => [storeRevision, events.map(keyOf)])
    expect(seen).toEqual([
      [start + 1n, ['a']],
      [start + 2n, ['a']],
    ])
  })

  it('delivers all changes of a revision in one batch', async () => {
    const start = await write(test.store, putOf('b', '1'), putOf('c', '1'))
    const revision = await write(test.store, putOf('a', '2'), putOf('b', '2'), deleteOf('c'))
    const [batch, ...others] = changes(await replay(test.store, EVERYTHING, { after: start, upTo: revision }))
    expect(others).toEqual([])
    expect(batch?.storeRevision).toBe(revision)
    expect(batch?.events.map((event) => [event.kind, keyOf(event)])).toEqual([
      ['put', 'a'],
      ['put', 'b'],
      ['delete', 'c'],
    ])
  })

  it('tells what a change replaced, and nothing for a creation', async () => {
    const start = await test.store.currentRevision()
    await put(test.store, 'a', '1')
    const created = await find(test.store, 'a')
    await put(test.store, 'a', '2')
    const changed = await find(test.store, 'a')
    const deleted = await write(test.store, deleteOf('a'))
    const batches = changes(await replay(test.store, EVERYTHING, { after: start, upTo: deleted }))
    expect(batches.flatMap((batch) => batch.events)).toEqual([
      { kind: 'put', entry: created },
      { kind: 'put', entry: changed, previous: created },
      { kind: 'delete', key: 'a', modRevision: deleted, previous: changed },
    ])
  })

  it('keeps to its prefix or key, past and live', async () => {
    const start = await test.store.currentRevision()
    await write(test.store, putOf('t/a', '1'), putOf('u', '1'))
    const underPrefix = new WatchProbe(test.store, { prefix: 't/' }, start)
    const ofKey = new WatchProbe(test.store, { key: 'u' }, start)
    await underPrefix.reaches(start + 1n)
    await put(test.store, 'u', '2')
    const last = await write(test.store, putOf('t/b', '1'), putOf('t', '1'), putOf('u', '3'))
    await Promise.all([underPrefix.reaches(last), ofKey.reaches(last)])
    await Promise.all([underPrefix.stop(), ofKey.stop()])
    const seen = (probe: WatchProbe) => changes(probe.batches).map((batch) => batch.events.map(keyOf))
    expect(seen(underPrefix)).toEqual([['t/a'], ['t/b']])
    expect(seen(ofKey)).toEqual([['u'], ['u'], ['u']])
  })

  it('sends a bookmark when only other keys have changed', async () => {
    const start = await test.store.currentRevision()
    const probe = new WatchProbe(test.store, { prefix: 't/' }, start)
    const revision = await put(test.store, 'u', '1')
    await probe.reaches(revision)
    await probe.stop()
    expect(changes(probe.batches)).toEqual([])
  })

  it('sends nothing for transactions that change nothing', async () => {
    const start = await put(test.store, 'a', '1')
    await write(test.store, deleteOf('missing'))
    await test.store.transact({
      compares: [{ select: { key: 'a' }, target: 'version', op: '=', value: 9n }],
      mutations: [putOf('a', '2')],
    })
    const last = await put(test.store, 'b', '1')
    expect(last).toBe(start + 1n)
    const batches = changes(await replay(test.store, EVERYTHING, { after: start, upTo: last }))
    expect(batches.map((batch) => batch.events.map(keyOf))).toEqual([['b']])
  })

  it('delivers revisions in order, each once, while they are written concurrently', async () => {
    const start = await test.store.currentRevision()
    const probes = [0, 1, 2].map(() => new WatchProbe(test.store, EVERYTHING, start))
    await Promise.all(Array.from({ length: 200 }, (_, index) => put(test.store, `k${index % 7}`, String(index))))
    const expected = Array.from({ length: 200 }, (_, index) => start + BigInt(index) + 1n)
    for (const probe of probes) {
      await probe.reaches(start + 200n)
      await probe.stop()
      expect(changes(probe.batches).map((batch) => batch.storeRevision)).toEqual(expected)
    }
  })

  it('replays the same batches that it delivered live', async () => {
    const start = await write(test.store, putOf('a', '0'), putOf('b', '0'))
    const live = new WatchProbe(test.store, EVERYTHING, start)
    await write(test.store, putOf('a', '1'), deleteOf('b'))
    await write(test.store, putOf('b', '1'), putOf('é', '1'), putOf('😀', '\0'))
    const last = await write(test.store, { kind: 'delete', select: EVERYTHING })
    await live.reaches(last)
    await live.stop()
    expect(changes(await replay(test.store, EVERYTHING, { after: start, upTo: last }))).toEqual(changes(live.batches))
  })
}

function resumption(test: StoreUnderTest): void {
  it('may begin at the current revision and at one that is still to come', async () => {
    const now = await put(test.store, 'a', '0')
    const probes = [new WatchProbe(test.store, EVERYTHING, now), new WatchProbe(test.store, EVERYTHING, now + 1n)]
    await put(test.store, 'a', '1')
    const last = await put(test.store, 'a', '2')
    await Promise.all(probes.map((probe) => probe.reaches(last)))
    await Promise.all(probes.map((probe) => probe.stop()))
    expect(probes.map((probe) => changes(probe.batches).map((batch) => batch.storeRevision))).toEqual([
      [now + 1n, now + 2n],
      [now + 2n],
    ])
  })

  it('goes on at the compacted revision', async () => {
    await put(test.store, 'a', '1')
    const second = await put(test.store, 'a', '2')
    const third = await put(test.store, 'a', '3')
    await test.store.compact(second)
    const [batch] = changes(await replay(test.store, EVERYTHING, { after: second, upTo: third }))
    expect(batch?.events).toMatchObject([{ kind: 'put', entry: { value: '3' }, previous: { value: '2' } }])
  })

  it('below the compacted revision is told the compacted revision, and from there it goes on', async () => {
    const start = await put(test.store, 'a', '0')
    await put(test.store, 'a', '1')
    await put(test.store, 'a', '2')
    const compacted = await put(test.store, 'a', '3')
    await test.store.compact(compacted)
    const probe = new WatchProbe(test.store, EVERYTHING, start)
    await probe.finished()
    expect(isAppError(probe.error, 'STORE_COMPACTED')).toBe(true)
    expect(isAppError(probe.error) && probe.error.details['compactedRevision']).toBe(String(compacted))
    const last = await put(test.store, 'a', '4')
    expect(changes(await replay(test.store, EVERYTHING, { after: compacted, upTo: last }))).toHaveLength(1)
  })

  it('that is not read gets everything later, or STORE_COMPACTED, but never a gap', async () => {
    const start = await test.store.currentRevision()
    const abort = new AbortController()
    const watch = test.store.watch({ select: EVERYTHING, after: start, signal: abort.signal })[Symbol.asyncIterator]()
    await put(test.store, 'a', '0')
    const first = await watch.next()
    expect(first.done === true ? undefined : first.value.storeRevision).toBe(start + 1n)
    for (let index = 1; index <= 150; index++) await put(test.store, 'a', 'x'.repeat(2_000))
    await test.store.compact(start + 100n)
    let position = start + 1n
    const rest = async (): Promise<void> => {
      while (position < start + 151n) {
        const next = await watch.next()
        if (next.done === true) throw new Error('the watch ended by itself')
        expect(next.value.storeRevision).toBe(position + 1n)
        position = next.value.storeRevision
      }
    }
    const error = await rest().catch((thrown: unknown) => thrown)
    abort.abort()
    expect(error === undefined ? position === start + 151n : isAppError(error, 'STORE_COMPACTED')).toBe(true)
  })
}

function ends(test: StoreUnderTest): void {
  it('by its signal is clean, whether it waits, replays or has not begun', async () => {
    const start = await put(test.store, 'a', '1')
    const waiting = new WatchProbe(test.store, EVERYTHING, start)
    await put(test.store, 'a', '2')
    await waiting.reaches(start + 1n)
    await waiting.stop()
    expect([waiting.ended, waiting.error]).toEqual([true, undefined])
    const unbegun = test.store.watch({ select: EVERYTHING, after: 0n, signal: AbortSignal.abort() })
    expect((await unbegun[Symbol.asyncIterator]().next()).done).toBe(true)
  })

  it('by leaving the loop is clean', async () => {
    const start = await put(test.store, 'a', '1')
    await put(test.store, 'a', '2')
    const seen: bigint[] = []
    for await (const batch of test.store.watch({
      select: EVERYTHING,
      after: start,
      signal: new AbortController().signal,
    })) {
      seen.push(batch.storeRevision)
      break
    }
    expect(seen).toEqual([start + 1n])
  })

  it('by its signal leaves other watches alone', async () => {
    const start = await test.store.currentRevision()
    const [stopped, kept] = [
      new WatchProbe(test.store, EVERYTHING, start),
      new WatchProbe(test.store, EVERYTHING, start),
    ]
    await stopped.stop()
    const revision = await put(test.store, 'a', '1')
    await kept.reaches(revision)
    await kept.stop()
    expect(stopped.batches).toEqual([])
  })

  it('comes as STORE_CLOSED when the store is closed', async () => {
    const probe = new WatchProbe(test.store, EVERYTHING, await test.store.currentRevision())
    const revision = await put(test.store, 'a', '1')
    await probe.reaches(revision)
    await test.store.close()
    await probe.finished()
    expect(isAppError(probe.error, 'STORE_CLOSED')).toBe(true)
  })

  it('is at once when the store was closed before', async () => {
    await test.store.close()
    const probe = new WatchProbe(test.store, EVERYTHING, 0n)
    await probe.finished()
    expect(isAppError(probe.error, 'STORE_CLOSED')).toBe(true)
  })

  it('comes after nothing when the request breaks a rule', async () => {
    const probe = new WatchProbe(test.store, { key: '' }, 0n)
    await probe.finished()
    expect(isAppError(probe.error, 'STORE_INVALID_REQUEST')).toBe(true)
  })

  it('is followed by STORE_CLOSED from every method; closing again is fine', async () => {
    await test.store.close()
    await test.store.close()
    expect(await refusal(test.store.currentRevision())).toBe('STORE_CLOSED')
    expect(await refusal(find(test.store, 'a'))).toBe('STORE_CLOSED')
    expect(await refusal(put(test.store, 'a', '1'))).toBe('STORE_CLOSED')
    expect(await refusal(test.store.grantLease(60_000))).toBe('STORE_CLOSED')
    expect(await refusal(test.store.keepLeaseAlive('1'))).toBe('STORE_CLOSED')
    expect(await refusal(test.store.revokeLease('1'))).toBe('STORE_CLOSED')
    expect(await refusal(test.store.compact(0n))).toBe('STORE_CLOSED')
  })
}
