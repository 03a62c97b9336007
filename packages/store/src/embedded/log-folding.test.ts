import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, ManualClock } from '@tributary/testkit'
import { describe, expect, it } from 'vitest'
import { storeError } from '../errors.js'
import { LogFolding } from './log-folding.js'
import { openEmbeddedStore } from './open-embedded-store.js'
import { useTemporaryFolders } from './temporary-folder.test-support.js'

const makeFolder = useTemporaryFolders()

/** A folding on a clock that stands still, with how often it has folded and what it has complained of. */
function makeFolding({ failure }: { failure?: Error } = {}) {
  const clock = new ManualClock()
  const seen = { folds: 0, errors: [] as unknown[] }
  const fold = async (): Promise<void> => {
    seen.folds += 1
    if (failure !== undefined) throw failure
  }
  const folding = new LogFolding({ clock, fold, onError: (error) => seen.errors.push(error) })
  const commit = (times: number, size = 1): void => {
    for (let index = 0; index < times; index += 1) folding.noteCommit(size)
  }
  /** The time passes, and what it has let go on has been done. */
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { folding, clock, seen, commit, pass }
}

describe('folding the log', () => {
  it('waits until there is enough to fold', async () => {
    const { clock, seen, commit, pass } = makeFolding()
    commit(63)
    expect(clock.sleeping).toBe(0)
    commit(1)
    expect(clock.sleeping).toBe(1)
    await pass(100)
    expect(seen.folds).toBe(1)
    commit(63)
    await pass(100)
    expect(seen.folds).toBe(1)
  })

  it('counts large values by their size', async () => {
    const { seen, commit, pass } = makeFolding()
    commit(4, 262_144)
    await pass(100)
    expect(seen.folds).toBe(1)
  })

  it('does not come between writes that follow each other', async () => {
    const { seen, commit, pass } = makeFolding()
    commit(64)
    for (let index = 0; index < 10; index += 1) {
      await pass(99)
      commit(1)
      await pass(1)
      expect(seen.folds).toBe(0)
    }
    await pass(100)
    expect(seen.folds).toBe(1)
  })

  it('tells of a fold that fails, unless each write says it, and folds again when there is enough anew', async () => {
    const broken = storeError('STORE_UNAVAILABLE', 'the disk failed')
    const failing = makeFolding({ failure: broken })
    const full = makeFolding({ failure: storeError('STORE_FULL', 'the disk is full') })
    for (const { seen, commit, pass } of [failing, full]) {
      for (let round = 1; round <= 2; round += 1) {
        commit(64)
        await pass(100)
        expect(seen.folds).toBe(round)
      }
    }
    expect(failing.seen.errors).toEqual([broken, broken])
    expect(full.seen.errors).toEqual([])
  })

  it('ends with the store, without a last fold', async () => {
    const { folding, clock, seen, commit } = makeFolding()
    commit(64)
    await folding.stop()
    commit(64)
    await folding.stop()
    expect([clock.sleeping, seen.folds]).toEqual([0, 0])
  })
})

describe('the file of a store', () => {
  it('has what was written once the store has been idle, before it is closed', async () => {
    const path = join(await makeFolder(), 'store.db')
    const store = await openEmbeddedStore({ path })
    for (let index = 1; index <= 64; index += 1) {
      await store.transact({ compares: [], mutations: [{ kind: 'put', key: 'k', value: `value-${index}-end` }] })
    }
    await eventually(async () => expect(await readFile(path, 'latin1')).toContain('value-64-end'))
    await store.close()
    const reopened = await openEmbeddedStore({ path })
    expect((await reopened.range({ select: { key: 'k' } })).entries[0]?.value).toBe('value-64-end')
    await reopened.close()
  })
})
