import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { RevisionedStore, WatchBatch } from '../revisioned-store.js'
import { ensureBuilt } from '@tributary/testkit'
import { beforeAll, describe, expect, it } from 'vitest'
import { openEmbeddedStore } from './open-embedded-store.js'
import { useTemporaryFolders } from './temporary-folder.test-support.js'

const KILLS = 10
const WRITERS = 4

describe('an embedded store whose process is killed', () => {
  const makeFolder = useTemporaryFolders()
  let packageFolder = ''
  beforeAll(async () => {
    packageFolder = await ensureBuilt('packages/store')
  }, 60_000)

  it('has lost nothing that was acknowledged and has no half of a transaction', { timeout: 60_000 }, async () => {
    const path = join(await makeFolder(), 'store.db')
    for (let kill = 0; kill < KILLS; kill++) {
      const child = spawn(process.execPath, [join(packageFolder, 'test-programs/writer.mjs'), path, String(WRITERS)])
      const acknowledged = await acknowledgedUntilKilled(child, 20 + Math.floor(Math.random() * 300))
      const store = await openEmbeddedStore({ path })
      for (const [writer, number] of acknowledged) {
        const values = await valuesOf(store, writer)
        // One more than the last answer may be there: it was durable when the process died, before it could say so.
        expect([Array(3).fill(number), Array(3).fill(number + 1)]).toContainEqual(values)
      }
      const transactions = await history(store)
      expect(transactions.map(({ storeRevision }) => storeRevision)).toEqual(
        transactions.map((_, index) => BigInt(index) + 1n),
      )
      expect(transactions.filter((transaction) => !isWhole(transaction))).toEqual([])
      await store.close()
    }
  })
})

/** Kills the writers after `count` acknowledgements; answers the last number that each has reported. */
async function acknowledgedUntilKilled(child: ChildProcess, count: number): Promise<Map<number, number>> {
  const last = new Map<number, number>()
  const errors: string[] = []
  child.stderr?.on('data', (data: Buffer) => errors.push(data.toString()))
  const exited = once(child, 'exit')
  let seen = 0
  if (child.stdout === null) throw new Error('the writer has no stdout')
  for await (const line of createInterface({ input: child.stdout })) {
    const [writer, number] = line.split(' ').map(Number)
    // A line that was cut by the kill is no acknowledgement that anyone could have read.
    if (writer === undefined || number === undefined) continue
    last.set(writer, Math.max(number, last.get(writer) ?? 0))
    seen += 1
    if (seen === count) child.kill('SIGKILL')
  }
  const [, signal] = await exited
  if (signal !== 'SIGKILL') throw new Error(`the writer ended by itself: ${errors.join('')}`)
  return last
}

async function valuesOf(store: RevisionedStore, writer: number): Promise<number[]> {
  const { entries } = await store.range({ select: { prefix: `w${writer}/` } })
  return entries.map((entry) => Number(entry.value))
}

/** All revisions since the file was created. */
async function history(store: RevisionedStore): Promise<WatchBatch[]> {
  const batches: WatchBatch[] = []
  const newest = await store.currentRevision()
  const abort = new AbortController()
  for await (const batch of store.watch({ select: { prefix: '' }, after: 0n, signal: abort.signal })) {
    batches.push(batch)
    if (batch.storeRevision === newest) abort.abort()
  }
  return batches
}

/** Three keys with one value: what every transaction of the writers puts. */
function isWhole({ events }: WatchBatch): boolean {
  const values = events.map((event) => (event.kind === 'put' ? event.entry.value : 'deleted'))
  return values.length === 3 && new Set(values).size === 1
}
