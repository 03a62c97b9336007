import { join } from 'node:path'
import { type Clock, isAppError } from '@tributary/kit'
import { eventually, ManualClock } from '@tributary/testkit'
import { describe, expect, it } from 'vitest'
import { storeError } from '../errors.js'
import type { RevisionedStore, WatchBatch } from '../revisioned-store.js'
import { openEmbeddedStore, openStoreInFile } from './open-embedded-store.js'
import { openSqliteFile, type SqliteFile } from './sqlite-file.js'
import { useTemporaryFolders } from './temporary-folder.test-support.js'

const makeFolder = useTemporaryFolders()

/** A file on a disk that fails on demand, and that counts its commits. */
class FaultyFile implements SqliteFile {
  readonly #file: SqliteFile
  /** What the next commits do: nothing and fail, or succeed and fail to say so. */
  faults: ('before' | 'after')[] = []
  /** Statements that fail as a whole, such as ROLLBACK. */
  broken: string | undefined
  commits = 0

  constructor(file: SqliteFile) {
    this.#file = file
  }

  get path(): string {
    return this.#file.path
  }

  async exec(sql: string): Promise<void> {
    if (sql === this.broken) throw failure()
    if (sql !== 'COMMIT') return this.#file.exec(sql)
    this.commits += 1
    const fault = this.faults.shift()
    if (fault !== 'before') await this.#file.exec(sql)
    if (fault !== undefined) throw failure()
  }

  prepare(sql: string) {
    return this.#file.prepare(sql)
  }

  inTransaction(): boolean {
    return this.#file.inTransaction()
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

function failure(): Error {
  return storeError('STORE_UNAVAILABLE', 'the disk failed')
}

async function openFaulty(clock?: Clock): Promise<{ file: FaultyFile; store: RevisionedStore; path: string }> {
  const path = join(await makeFolder(), 'store.db')
  const file = new FaultyFile(await openSqliteFile(path))
  return { file, path, store: await openStoreInFile(file, { path, ...(clock === undefined ? {} : { clock }) }) }
}

async function put(store: RevisionedStore, key: string, leaseId?: string): Promise<bigint> {
  const mutation = { kind: 'put', key, value: '1', ...(leaseId === undefined ? {} : { leaseId }) } as const
  return (await store.transact({ compares: [], mutations: [mutation] })).storeRevision
}

async function keys(store: RevisionedStore): Promise<string[]> {
  return (await store.range({ select: { prefix: '' } })).entries.map((entry) => entry.key)
}

async function isUnavailable(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => false,
    (error: unknown) => isAppError(error, 'STORE_UNAVAILABLE'),
  )
}

/** Closes the store, and opens its file again without faults: what is on the disk. */
async function keysOnDisk({ store, path }: { store: RevisionedStore; path: string }): Promise<string[]> {
  await store.close()
  const reopened = await openEmbeddedStore({ path })
  const found = await keys(reopened)
  await reopened.close()
  return found
}

describe('a group commit', () => {
  it('writes transactions of one tick with one fsync, each at its own revision', async () => {
    const { file, store } = await openFaulty()
    file.commits = 0
    const revisions = await Promise.all(Array.from({ length: 100 }, (_, index) => put(store, `k${index}`)))
    expect(revisions).toEqual(revisions.map((_, index) => BigInt(index) + 1n))
    expect(file.commits).toBe(1)
    await store.close()
  })

  it('lets a transaction see those before it in the group', async () => {
    const { store } = await openFaulty()
    const createOnce = () =>
      store.transact({
        compares: [{ select: { prefix: 'a' }, target: 'version', op: '=', value: 0n }],
        mutations: [{ kind: 'put', key: 'a', value: '1' }],
      })
    const results = await Promise.all([createOnce(), createOnce(), createOnce()])
    expect(results.map((result) => result.succeeded)).toEqual([true, false, false])
    await store.close()
  })

  it('shows nothing of a transaction before it is durable', async () => {
    const { store } = await openFaulty()
    const writing = put(store, 'a')
    expect(await keys(store)).toEqual([])
    await writing
    expect(await keys(store)).toEqual(['a'])
    await store.close()
  })

  it('refuses, when the store closes, the transactions that have not begun, and finishes the others', async () => {
    const { store, path } = await openFaulty()
    const writing = put(store, 'a')
    await Promise.resolve()
    await Promise.resolve()
    const waiting = put(store, 'b')
    const closing = store.close()
    const results = await Promise.allSettled([writing, waiting])
    await closing
    const acknowledged = ['a', 'b'].filter((_, index) => results[index]?.status === 'fulfilled')
    expect(await keysOnDisk({ store, path })).toEqual(acknowledged)
  })
})

describe('a commit that fails', () => {
  it('and is not on the disk leaves no trace in memory', async () => {
    const opened = await openFaulty()
    await put(opened.store, 'a')
    opened.file.faults = ['before']
    expect(await isUnavailable(put(opened.store, 'b'))).toBe(true)
    expect([await keys(opened.store), await opened.store.currentRevision()]).toEqual([['a'], 1n])
    expect(await put(opened.store, 'c')).toBe(2n)
    expect(await keysOnDisk(opened)).toEqual(['a', 'c'])
  })

  it('but is on the disk is seen by reads and watches, though its outcome was unknown', async () => {
    const opened = await openFaulty()
    const abort = new AbortController()
    const batches: WatchBatch[] = []
    const watching = (async () => {
      for await (const batch of opened.store.watch({ select: { prefix: '' }, after: 0n, signal: abort.signal })) {
        batches.push(batch)
        if (batch.storeRevision === 3n) abort.abort()
      }
    })()
    await put(opened.store, 'a')
    opened.file.faults = ['after']
    expect(await isUnavailable(put(opened.store, 'b'))).toBe(true)
    expect(await keys(opened.store)).toEqual(['a', 'b'])
    expect(await put(opened.store, 'c')).toBe(3n)
    await watching
    expect(batches.map((batch) => batch.storeRevision)).toEqual([1n, 2n, 3n])
    expect(await keysOnDisk(opened)).toEqual(['a', 'b', 'c'])
  })

  it('keeps its leases as they are on the disk', async () => {
    const opened = await openFaulty()
    const lease = await opened.store.grantLease(60_000)
    await put(opened.store, 'a', lease.leaseId)
    opened.file.faults = ['before', 'after']
    expect(await isUnavailable(opened.store.revokeLease(lease.leaseId))).toBe(true)
    await opened.store.keepLeaseAlive(lease.leaseId)
    expect(await isUnavailable(opened.store.revokeLease(lease.leaseId))).toBe(true)
    expect(await keys(opened.store)).toEqual([])
    await expect(opened.store.keepLeaseAlive(lease.leaseId)).rejects.toMatchObject({ code: 'STORE_LEASE_NOT_FOUND' })
    await opened.store.close()
  })

  it('ends a lease that is due as soon as the disk works again', async () => {
    const clock = new ManualClock()
    const opened = await openFaulty(clock)
    const lease = await opened.store.grantLease(5_000)
    await put(opened.store, 'a', lease.leaseId)
    opened.file.faults = ['before']
    clock.advance(5_000)
    await eventually(() => expect([opened.file.faults, clock.sleeping]).toEqual([[], 1]))
    expect(await keys(opened.store)).toEqual(['a'])
    clock.advance(1_000)
    await eventually(async () => expect(await keys(opened.store)).toEqual([]))
    await opened.store.close()
  })

  it('stops writes until the disk can be read back, and goes on then; reads never stop', async () => {
    const opened = await openFaulty()
    await put(opened.store, 'a')
    opened.file.faults = ['before']
    opened.file.broken = 'ROLLBACK'
    expect(await isUnavailable(put(opened.store, 'b'))).toBe(true)
    expect(await isUnavailable(put(opened.store, 'c'))).toBe(true)
    expect(await keys(opened.store)).toEqual(['a'])
    opened.file.broken = undefined
    expect(await put(opened.store, 'd')).toBe(2n)
    expect(await keysOnDisk(opened)).toEqual(['a', 'd'])
  })
})
