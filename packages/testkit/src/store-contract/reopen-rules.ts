import { describe, expect, it } from 'vitest'
import { eventually } from '../eventually.js'
import type { StoreUnderTest } from './harness.js'
import { changes, deleteOf, EVERYTHING, refusal, find, put, putOf, replay, write } from './store-actions.js'

/** What outlives the process that wrote it. Skipped, visibly, where the harness cannot reopen. */
export function reopenRules(test: StoreUnderTest): void {
  describe.skipIf(!test.capabilities.reopen)('a reopened store', () => {
    it('has the same keys, revision and history', async () => {
      const start = await test.store.currentRevision()
      const first = await write(test.store, putOf('a', '1'), putOf('b', '\0é😀'))
      const last = await write(test.store, putOf('a', '2'), deleteOf('b'))
      const before = await replay(test.store, EVERYTHING, { after: start, upTo: last })
      const range = await test.store.range({ select: EVERYTHING })
      const store = await test.reopen()
      expect(await store.range({ select: EVERYTHING })).toEqual(range)
      expect(await find(store, 'b', first)).toMatchObject({ value: '\0é😀' })
      expect(changes(await replay(store, EVERYTHING, { after: start, upTo: last }))).toEqual(changes(before))
    })

    it('goes on from its revision', async () => {
      const revision = await put(test.store, 'a', '1')
      const deleted = await write(test.store, deleteOf('a'))
      expect(deleted).toBe(revision + 1n)
      await test.store.compact(deleted)
      const store = await test.reopen()
      expect(await store.currentRevision()).toBe(deleted)
      expect(await put(store, 'a', '2')).toBe(deleted + 1n)
      expect(await find(store, 'a')).toMatchObject({ version: 1n, createRevision: deleted + 1n })
    })

    it('remembers what was compacted', async () => {
      const first = await put(test.store, 'a', '1')
      const second = await put(test.store, 'a', '2')
      await test.store.compact(second)
      const store = await test.reopen()
      expect(await refusal(find(store, 'a', first))).toBe('STORE_COMPACTED')
      expect(await find(store, 'a', second)).toMatchObject({ value: '2' })
    })

    it('keeps its leases with their keys, and ends them later', async () => {
      const lease = await test.store.grantLease(test.capabilities.minLeaseTtlMs)
      await write(test.store, putOf('a', '1', lease.leaseId))
      const store = await test.reopen()
      await store.keepLeaseAlive(lease.leaseId)
      expect(await find(store, 'a')).toMatchObject({ leaseId: lease.leaseId })
      await test.pass(lease.ttlMs)
      await eventually(async () => expect(await find(store, 'a')).toBeUndefined(), { timeoutMs: 15_000 })
      expect(await refusal(store.keepLeaseAlive(lease.leaseId))).toBe('STORE_LEASE_NOT_FOUND')
    })
  })
}
