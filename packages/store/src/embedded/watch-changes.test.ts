import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isAppError } from '@tributary/kit'
import { eventually } from '@tributary/testkit'
import { describe, expect, it } from 'vitest'
import type { RevisionedStore, StoreRevision, WatchBatch } from '../revisioned-store.js'
import { openEmbeddedStore } from './open-embedded-store.js'
import { useTemporaryFolders } from './temporary-folder.test-support.js'

const makeFolder = useTemporaryFolders()
const EVERYTHING = { prefix: '' }

async function putMany(store: RevisionedStore, count: number, value: string): Promise<void> {
  for (let index = 0; index < count; index++) {
    await store.transact({ compares: [], mutations: [{ kind: 'put', key: 'a', value: `${index} ${value}` }] })
  }
}

function watchFrom(store: RevisionedStore, after: StoreRevision): AsyncIterator<WatchBatch> {
  return store.watch({ select: EVERYTHING, after, signal: new AbortController().signal })[Symbol.asyncIterator]()
}

describe('a slow watcher', () => {
  it('costs no memory for what it has not read, and misses nothing of it', async () => {
    const store = await openEmbeddedStore({ path: join(await makeFolder(), 'store.db'), memoryRevisions: 16 })
    await putMany(store, 1, 'first')
    const slow = Array.from({ length: 5 }, () => watchFrom(store, 0n))
    for (const watch of slow) expect((await watch.next()).value).toMatchObject({ storeRevision: 1n })
    const before = heapBytes()
    await putMany(store, 1_500, 'x'.repeat(20_000))
    // 30 MB were written; the window holds 16 revisions of 20 kB, with what each replaced.
    expect(heapBytes() - before).toBeLessThan(6_000_000)
    for (const watch of slow.slice(0, 2)) expect(await readTo(watch, 1_501n)).toBe(1_500)
    await store.close()
  })
})

describe('compaction by itself', () => {
  it('keeps the newest revisions and forgets older ones', async () => {
    const store = await openEmbeddedStore({ path: join(await makeFolder(), 'store.db'), keepRevisions: 20 })
    await putMany(store, 100, 'x')
    await eventually(async () => {
      const error = await watchFrom(store, 60n)
        .next()
        .catch((thrown: unknown) => thrown)
      expect(isAppError(error, 'STORE_COMPACTED')).toBe(true)
    })
    const kept = await store.range({ select: EVERYTHING, atRevision: 80n })
    expect(kept.entries[0]?.value).toBe('79 x')
    await store.close()
  })
})

/** Number of revisions that a watch delivers, each the next one, until `last`. */
async function readTo(watch: AsyncIterator<WatchBatch>, last: StoreRevision): Promise<number> {
  for (let count = 1, position = 0n; ; count++) {
    const next = await watch.next()
    const revision = next.done === true ? undefined : next.value.storeRevision
    if (revision === undefined || (position > 0n && revision !== position + 1n))
      throw new Error(`a gap after ${position}`)
    if (revision === last) return count
    position = revision
  }
}

/** Heap in use after a full collection. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect !== 'function') throw new Error('this runtime has no garbage collector to call')
  collect()
  return process.memoryUsage().heapUsed
}
