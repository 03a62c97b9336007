import { execFile } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isAppError } from '@tributary/kit'
import { describe, expect, it, type TestContext } from 'vitest'
import type { RevisionedStore } from '../revisioned-store.js'
import { openEmbeddedStore } from './open-embedded-store.js'
import { useTemporaryFolders } from './temporary-folder.test-support.js'

const run = promisify(execFile)
const makeFolder = useTemporaryFolders()
const VALUE = 'x'.repeat(20_000)

function put(store: RevisionedStore, key: string): Promise<unknown> {
  return store.transact({ compares: [], mutations: [{ kind: 'put', key, value: VALUE }] })
}

/** Puts keys until the store is full; answers the acknowledged ones. */
async function fill(store: RevisionedStore): Promise<string[]> {
  const acknowledged: string[] = []
  for (let index = 0; ; index++) {
    const key = `k${String(index).padStart(4, '0')}`
    const error = await put(store, key).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    if (isAppError(error, 'STORE_FULL')) return acknowledged
    if (error !== undefined) throw error
    acknowledged.push(key)
  }
}

async function keys(store: RevisionedStore): Promise<string[]> {
  return (await store.range({ select: { prefix: '' } })).entries.map((entry) => entry.key)
}

describe('a store whose quota is used up', () => {
  it('answers STORE_FULL, still reads, keeps what it acknowledged, and writes again when there is room', async () => {
    const path = join(await makeFolder(), 'store.db')
    const store = await openEmbeddedStore({ path, quotaBytes: 1024 * 1024 })
    // History of a key that is gone: what compaction can free.
    for (let index = 0; index < 10; index++) await put(store, 'old')
    await store.transact({ compares: [], mutations: [{ kind: 'delete', select: { key: 'old' } }] })
    const acknowledged = await fill(store)
    const revision = await store.currentRevision()
    expect(acknowledged.length).toBeGreaterThan(10)
    expect(await keys(store)).toEqual(acknowledged)
    expect(revision).toBe(BigInt(11 + acknowledged.length))
    await store.compact(revision)
    await put(store, 'z')
    expect(await store.currentRevision()).toBe(revision + 1n)
    await store.close()
    const reopened = await openEmbeddedStore({ path })
    expect(await keys(reopened)).toEqual([...acknowledged, 'z'])
    await reopened.close()
  })

  it('tells every writer of the group that failed, and a watcher sees none of it', async () => {
    const store = await openEmbeddedStore({ path: join(await makeFolder(), 'store.db'), quotaBytes: 1024 * 1024 })
    await fill(store)
    const revision = await store.currentRevision()
    const results = await Promise.allSettled(['x1', 'x2', 'x3'].map((key) => put(store, key)))
    expect(results.map((result) => result.status === 'rejected' && isAppError(result.reason, 'STORE_FULL'))).toEqual([
      true,
      true,
      true,
    ])
    expect(await store.currentRevision()).toBe(revision)
    expect((await store.range({ select: { prefix: 'x' } })).entries).toEqual([])
    await store.close()
  })
})

describe('a store on a disk that is full', () => {
  it('answers STORE_FULL, still reads, and recovers when space is freed', async (context) => {
    await onSmallDisk(context, async (disk) => {
      const { acknowledged, whenFull, afterwards } = await fillAndFree(disk)
      expect(acknowledged.length).toBeGreaterThan(10)
      expect(whenFull).toEqual(acknowledged)
      expect(afterwards).toEqual([...acknowledged, 'z'])
    })
  })

  it('can be closed; the warning says that the file was left in two parts', async (context) => {
    await onSmallDisk(context, async (disk) => {
      const warnings: unknown[] = []
      const store = await openEmbeddedStore({
        path: join(disk, 'store.db'),
        onBackgroundError: (error) => warnings.push(error),
      })
      await fill(store)
      await store.close()
      expect(warnings.map((warning) => isAppError(warning, 'STORE_FULL'))).toEqual([true])
    })
  })
})

/** Runs `body` in a file system of 5 MB of its own; skips the test, with the reason, where none can be mounted. */
async function onSmallDisk(context: TestContext, body: (disk: string) => Promise<void>): Promise<void> {
  const disk = await makeFolder()
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=5m', 'tmpfs', disk]).catch((error: Error) => error)
  if (mounted instanceof Error) return context.skip(`a small disk cannot be mounted here: ${mounted.message}`)
  try {
    await body(disk)
  } finally {
    // Lazily: the driver closes its descriptors when it is collected.
    await run('umount', ['-l', disk])
  }
}

/** Fills the disk, frees some of it, writes again and reopens. */
async function fillAndFree(disk: string): Promise<Record<'acknowledged' | 'whenFull' | 'afterwards', string[]>> {
  const ballast = join(disk, 'ballast')
  await writeFile(ballast, 'x'.repeat(3 * 1024 * 1024))
  const path = join(disk, 'store.db')
  const store = await openEmbeddedStore({ path })
  const acknowledged = await fill(store)
  const whenFull = await keys(store)
  await rm(ballast)
  await put(store, 'z')
  await store.close()
  const reopened = await openEmbeddedStore({ path })
  const afterwards = await keys(reopened)
  await reopened.close()
  return { acknowledged, whenFull, afterwards }
}
