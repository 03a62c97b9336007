import type { Compare, RevisionedStore, TransactResult } from '@tributary/store'
import { describe, expect, it } from 'vitest'
import type { StoreUnderTest } from './harness.js'
import { deleteOf, EVERYTHING, refusal, find, keys, put, putOf, write } from './store-actions.js'

/** Revisions, versions, compares and limits of transactions. */
export function transactionRules(test: StoreUnderTest): void {
  describe('a transaction', () => {
    revisions(test)
  })
  describe('a compare', () => {
    compareRules(test)
  })
  describe('a limit', () => {
    limits(test)
  })
}

function revisions(test: StoreUnderTest): void {
  it('raises the store revision by one, whatever it writes', async () => {
    const before = await test.store.currentRevision()
    expect(await put(test.store, 'a', '1')).toBe(before + 1n)
    expect(await write(test.store, putOf('b', '1'), putOf('c', '1'), deleteOf('a'))).toBe(before + 2n)
    expect(await test.store.currentRevision()).toBe(before + 2n)
  })

  it('gives all its keys one revision', async () => {
    const revision = await write(test.store, putOf('a', '1'), putOf('b', '2'))
    const { entries } = await test.store.range({ select: EVERYTHING })
    expect(entries.map((entry) => [entry.key, entry.modRevision])).toEqual([
      ['a', revision],
      ['b', revision],
    ])
  })

  it('counts the versions of an incarnation and begins again after a delete', async () => {
    const created = await put(test.store, 'a', '1')
    const changed = await put(test.store, 'a', '2')
    expect(await find(test.store, 'a')).toEqual({
      key: 'a',
      value: '2',
      createRevision: created,
      modRevision: changed,
      version: 2n,
    })
    await write(test.store, deleteOf('a'))
    const again = await put(test.store, 'a', '3')
    expect(await find(test.store, 'a')).toMatchObject({ createRevision: again, modRevision: again, version: 1n })
  })

  it('counts a put of the same value as a change', async () => {
    const first = await put(test.store, 'a', '1')
    expect(await put(test.store, 'a', '1')).toBe(first + 1n)
  })

  it('leaves the revision alone when it changes nothing', async () => {
    const before = await put(test.store, 'a', '1')
    expect(await write(test.store)).toBe(before)
    expect(await write(test.store, deleteOf('missing'), { kind: 'delete', select: { prefix: 'missing/' } })).toBe(
      before,
    )
    expect(await test.store.currentRevision()).toBe(before)
  })

  it('deletes all keys under a prefix and no other', async () => {
    await write(test.store, putOf('t/a', '1'), putOf('t/b', '1'), putOf('t', '1'), putOf('u', '1'))
    await write(test.store, { kind: 'delete', select: { prefix: 't/' } })
    expect(await keys(test.store)).toEqual(['t', 'u'])
  })

  it('may delete a key through two selectors', async () => {
    await write(test.store, putOf('t/a', '1'), putOf('b', '1'))
    await write(test.store, deleteOf('t/a'), { kind: 'delete', select: { prefix: 't/' } })
    expect(await keys(test.store)).toEqual(['b'])
  })

  it('is refused when it puts a key twice, or puts and deletes it', async () => {
    const before = await put(test.store, 'a', '1')
    expect(await refusal(write(test.store, putOf('a', '2'), putOf('a', '3')))).toBe('STORE_INVALID_REQUEST')
    expect(await refusal(write(test.store, putOf('a', '2'), deleteOf('a')))).toBe('STORE_INVALID_REQUEST')
    expect(await refusal(write(test.store, putOf('a', '2'), { kind: 'delete', select: EVERYTHING }))).toBe(
      'STORE_INVALID_REQUEST',
    )
    expect(await find(test.store, 'a')).toMatchObject({ value: '1', modRevision: before })
  })

  it('is refused when a key is empty or the one that is the store’s own, or text has no UTF-8 form', async () => {
    for (const key of ['', '\0']) expect(await refusal(put(test.store, key, '1'))).toBe('STORE_INVALID_REQUEST')
    expect(await refusal(put(test.store, 'a\ud800', '1'))).toBe('STORE_INVALID_REQUEST')
    expect(await refusal(put(test.store, 'a', '\udc00'))).toBe('STORE_INVALID_REQUEST')
    expect(await keys(test.store)).toEqual([])
  })

  it('keeps every value as it was given', async () => {
    const values = ['', '\0', 'a\0b', '\n', 'é', '\u{10ffff}😀\uffff', '{"a":"\\u0000"}', ' ', 'x'.repeat(100_000)]
    for (const value of values) {
      await put(test.store, 'a', value)
      expect((await find(test.store, 'a'))?.value).toBe(value)
    }
  })

  it('does not begin when its signal has been aborted', async () => {
    const signal = AbortSignal.abort()
    expect(await refusal(test.store.transact({ compares: [], mutations: [putOf('a', '1')] }, { signal }))).toBe(
      'STORE_CANCELED',
    )
    expect(await keys(test.store)).toEqual([])
  })

  it('loses no increment of concurrent compare-and-set loops', async () => {
    await Promise.all(Array.from({ length: 8 }, () => increments(test.store, 10)))
    expect((await find(test.store, 'counter'))?.value).toBe('80')
  })

  it('is seen by every read that begins after its answer', async () => {
    for (let round = 0; round < 20; round++) {
      const revision = await put(test.store, 'a', String(round))
      const [current, range] = await Promise.all([
        test.store.currentRevision(),
        test.store.range({ select: EVERYTHING }),
      ])
      expect(current).toBeGreaterThanOrEqual(revision)
      expect(range.storeRevision).toBeGreaterThanOrEqual(revision)
      expect(range.entries[0]?.value).toBe(String(round))
    }
  })
}

async function increments(store: RevisionedStore, count: number): Promise<void> {
  for (let done = 0; done < count;) {
    const entry = await find(store, 'counter')
    const { succeeded } = await store.transact({
      compares: [{ select: { key: 'counter' }, target: 'modRevision', op: '=', value: entry?.modRevision ?? 0n }],
      mutations: [putOf('counter', String(Number(entry?.value ?? '0') + 1))],
    })
    if (succeeded) done += 1
  }
}

const OUTCOMES: readonly [Compare['op'], below: boolean, same: boolean, above: boolean][] = [
  ['=', false, true, false],
  ['!=', true, false, true],
  ['<', false, false, true],
  ['<=', false, true, true],
  ['>', true, false, false],
  ['>=', true, true, false],
]

function compareRules(test: StoreUnderTest): void {
  const attempt = (compares: Compare[]): Promise<TransactResult> =>
    test.store.transact({ compares, mutations: [putOf('witness', 'written')] })

  for (const target of ['modRevision', 'createRevision', 'version'] as const) {
    for (const [op, ...expected] of OUTCOMES) {
      it(`of ${target} with ${op} holds or fails against values below, at and above it`, async () => {
        await put(test.store, 'a', '1')
        await put(test.store, 'a', '2')
        const actual = (await find(test.store, 'a'))?.[target] ?? 0n
        const results: boolean[] = []
        for (const value of [actual - 1n, actual, actual + 1n]) {
          results.push((await attempt([{ select: { key: 'a' }, target, op, value }])).succeeded)
        }
        expect(results).toEqual(expected)
      })
    }
  }

  it('takes a missing key, and a prefix without keys, as 0', async () => {
    for (const select of [{ key: 'missing' }, { prefix: 'missing/' }]) {
      for (const target of ['modRevision', 'createRevision', 'version'] as const) {
        expect((await attempt([{ select, target, op: '=', value: 0n }])).succeeded).toBe(true)
        expect((await attempt([{ select, target, op: '>', value: 0n }])).succeeded).toBe(false)
      }
    }
  })

  it('on a prefix must hold for every key below it', async () => {
    const first = await put(test.store, 't/a', '1')
    const unchangedSince: Compare = { select: { prefix: 't/' }, target: 'modRevision', op: '<=', value: first }
    expect((await attempt([unchangedSince])).succeeded).toBe(true)
    await put(test.store, 't/b', '1')
    expect((await attempt([unchangedSince])).succeeded).toBe(false)
  })

  it('that fails among others stops the whole transaction and leaves the revision alone', async () => {
    const before = await put(test.store, 'a', '1')
    const result = await attempt([
      { select: { key: 'a' }, target: 'version', op: '=', value: 1n },
      { select: { key: 'a' }, target: 'version', op: '=', value: 2n },
    ])
    expect(result).toEqual({ succeeded: false, storeRevision: before })
    expect(await find(test.store, 'witness')).toBeUndefined()
    expect(await test.store.currentRevision()).toBe(before)
  })

  it('that holds without mutations answers the current revision', async () => {
    const before = await put(test.store, 'a', '1')
    const compares: Compare[] = [{ select: { key: 'a' }, target: 'version', op: '=', value: 1n }]
    expect(await test.store.transact({ compares, mutations: [] })).toEqual({ succeeded: true, storeRevision: before })
  })
}

function limits(test: StoreUnderTest): void {
  const MIB = 1024 * 1024
  const many = (count: number) => Array.from({ length: count }, (_, index) => putOf(`k${index}`, 'v'))

  it('lets through 128 mutations and a value of 1 MiB', async () => {
    await write(test.store, ...many(128))
    await put(test.store, 'big', 'x'.repeat(MIB))
    expect((await keys(test.store)).length).toBe(129)
  })

  it('refuses 129 mutations, 129 compares, and writes nothing', async () => {
    expect(await refusal(write(test.store, ...many(129)))).toBe('STORE_TOO_LARGE')
    const compares = many(129).map((): Compare => ({ select: { key: 'a' }, target: 'version', op: '=', value: 0n }))
    expect(await refusal(test.store.transact({ compares, mutations: [putOf('a', '1')] }))).toBe('STORE_TOO_LARGE')
    expect(await keys(test.store)).toEqual([])
  })

  it('refuses a value over 1 MiB, counted in UTF-8 bytes, and 1.5 MiB in all', async () => {
    expect(await refusal(put(test.store, 'a', 'x'.repeat(MIB + 1)))).toBe('STORE_TOO_LARGE')
    expect(await refusal(put(test.store, 'a', 'é'.repeat(MIB / 2 + 1)))).toBe('STORE_TOO_LARGE')
    const part = 'x'.repeat(0.9 * MIB)
    expect(await refusal(write(test.store, putOf('a', part), putOf('b', part)))).toBe('STORE_TOO_LARGE')
    expect(await keys(test.store)).toEqual([])
  })
}
