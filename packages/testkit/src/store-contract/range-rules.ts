import { describe, expect, it } from 'vitest'
import type { StoreUnderTest } from './harness.js'
import { deleteOf, EVERYTHING, refusal, find, keys, put, putOf, write } from './store-actions.js'

/** Order, paging, reads of the past, and compaction. */
export function rangeRules(test: StoreUnderTest): void {
  describe('a range', () => {
    present(test)
  })
  describe('a range at a revision', () => {
    past(test)
  })
}

function present(test: StoreUnderTest): void {
  it('orders keys by their UTF-8 bytes, not by UTF-16 units', async () => {
    // In UTF-16 the pair of U+10000 (0xD800...) sorts before U+E000 and U+FFFF; in UTF-8 it sorts after them.
    const ordered = [
      '\u0000\u0000',
      'A',
      'a',
      'a\u0000',
      'a/',
      'aa',
      'a\u007f',
      'a\u0080',
      'é',
      '\ud7ff',
      '\ue000',
      '\uffff',
      '\u{10000}',
      '\u{10ffff}',
    ]
    await write(test.store, ...ordered.toReversed().map((key) => putOf(key, '1')))
    expect(await keys(test.store)).toEqual(ordered)
  })

  it('selects by prefix at the edges of characters', async () => {
    await write(
      test.store,
      ...['a', 'a\uffff', 'a\u{10ffff}', 'a😀', 'b', 'a\u{10ffff}z'].map((key) => putOf(key, '1')),
    )
    expect(await keys(test.store, 'a')).toEqual(['a', 'a\uffff', 'a😀', 'a\u{10ffff}', 'a\u{10ffff}z'])
    expect(await keys(test.store, 'a\u{10ffff}')).toEqual(['a\u{10ffff}', 'a\u{10ffff}z'])
  })

  it('answers nothing for a missing key, with the current revision', async () => {
    const revision = await put(test.store, 'a', '1')
    expect(await test.store.range({ select: { key: 'b' } })).toEqual({
      storeRevision: revision,
      entries: [],
      more: false,
    })
  })

  it('pages through a prefix with limit and afterKey, none twice and none left out', async () => {
    const all = Array.from({ length: 7 }, (_, index) => `t/${index}`)
    await write(test.store, ...all.map((key) => putOf(key, '1')), putOf('s', '1'), putOf('u', '1'))
    const pages: string[][] = []
    let more = true
    while (more) {
      const afterKey = pages.at(-1)?.at(-1)
      const page = await test.store.range({
        select: { prefix: 't/' },
        limit: 3,
        ...(afterKey === undefined ? {} : { afterKey }),
      })
      pages.push(page.entries.map((entry) => entry.key))
      more = page.more
    }
    expect(pages).toEqual([all.slice(0, 3), all.slice(3, 6), all.slice(6)])
  })

  it('says that there is no more when the limit is met exactly', async () => {
    await write(test.store, putOf('a', '1'), putOf('b', '1'))
    expect((await test.store.range({ select: EVERYTHING, limit: 2 })).more).toBe(false)
    expect((await test.store.range({ select: EVERYTHING, limit: 1 })).more).toBe(true)
  })

  it('begins after afterKey even when that key is not there, or lies outside of the prefix', async () => {
    await write(test.store, putOf('t/a', '1'), putOf('t/c', '1'))
    const after = async (afterKey: string) =>
      (await test.store.range({ select: { prefix: 't/' }, afterKey })).entries.map((entry) => entry.key)
    expect(await after('t/b')).toEqual(['t/c'])
    expect(await after('a')).toEqual(['t/a', 't/c'])
    expect(await after('z')).toEqual([])
  })

  it('refuses a limit that is not a positive integer', async () => {
    for (const limit of [0, -1, 1.5, NaN]) {
      expect(await refusal(test.store.range({ select: EVERYTHING, limit }))).toBe('STORE_INVALID_REQUEST')
    }
  })
}

function past(test: StoreUnderTest): void {
  it('answers the keys as they stood then', async () => {
    const first = await write(test.store, putOf('a', '1'), putOf('b', '1'))
    const second = await put(test.store, 'a', '2')
    const third = await write(test.store, deleteOf('b'), putOf('c', '1'))
    const at = async (atRevision: bigint) =>
      (await test.store.range({ select: EVERYTHING, atRevision })).entries.map(({ key, value }) => `${key}=${value}`)
    expect(await at(first)).toEqual(['a=1', 'b=1'])
    expect(await at(second)).toEqual(['a=2', 'b=1'])
    expect(await at(third)).toEqual(['a=2', 'c=1'])
  })

  it('answers that revision, and whole entries', async () => {
    const first = await put(test.store, 'a', '1')
    await put(test.store, 'a', '2')
    expect(await test.store.range({ select: { key: 'a' }, atRevision: first })).toEqual({
      storeRevision: first,
      entries: [{ key: 'a', value: '1', createRevision: first, modRevision: first, version: 1n }],
      more: false,
    })
  })

  it('keeps order, limit and afterKey', async () => {
    const ordered = ['a', 'b\uffff', 'b\u{10000}', 'c']
    const then = await write(test.store, ...ordered.map((key) => putOf(key, '1')))
    await write(test.store, { kind: 'delete', select: EVERYTHING })
    const page = await test.store.range({ select: { prefix: 'b' }, atRevision: then, limit: 1 })
    expect([page.entries.map((entry) => entry.key), page.more]).toEqual([['b\uffff'], true])
    const rest = await test.store.range({ select: EVERYTHING, atRevision: then, afterKey: 'b\uffff' })
    expect([rest.entries.map((entry) => entry.key), rest.more]).toEqual([['b\u{10000}', 'c'], false])
  })

  it('is refused when that revision has not been reached', async () => {
    const revision = await put(test.store, 'a', '1')
    expect(await refusal(find(test.store, 'a', revision + 1n))).toBe('STORE_FUTURE_REVISION')
  })

  it('is refused below the compacted revision, and goes on at it and above', async () => {
    const first = await put(test.store, 'a', '1')
    const second = await put(test.store, 'a', '2')
    const third = await put(test.store, 'a', '3')
    await test.store.compact(second)
    expect(await refusal(find(test.store, 'a', first))).toBe('STORE_COMPACTED')
    expect(await find(test.store, 'a', second)).toMatchObject({ value: '2' })
    expect(await find(test.store, 'a', third)).toMatchObject({ value: '3' })
  })

  it('leaves current values and the revision alone when history is compacted', async () => {
    await write(test.store, putOf('a', '1'), putOf('b', '1'))
    const deleted = await write(test.store, deleteOf('b'))
    await test.store.compact(deleted)
    expect(await keys(test.store)).toEqual(['a'])
    expect(await test.store.currentRevision()).toBe(deleted)
  })

  it('cannot be compacted into the future; compacting again, or less, changes nothing', async () => {
    const first = await put(test.store, 'a', '1')
    const second = await put(test.store, 'a', '2')
    expect(await refusal(test.store.compact(second + 1n))).toBe('STORE_FUTURE_REVISION')
    await test.store.compact(second)
    await test.store.compact(second)
    await test.store.compact(first)
    expect(await find(test.store, 'a', second)).toMatchObject({ value: '2' })
  })
}
