import type { StoreLease } from '@tributary/store'
import { describe, expect, it } from 'vitest'
import { eventually } from '../eventually.js'
import type { StoreUnderTest } from './harness.js'
import { changes, EVERYTHING, refusal, find, keyOf, keys, put, putOf, WatchProbe, write } from './store-actions.js'

/** Grant, keep alive, expiry, revocation and attachment of leases. */
export function leaseRules(test: StoreUnderTest): void {
  describe('a lease', () => {
    lives(test)
    attachments(test)
  })
}

/** Longer than any store may take to notice that a lease is over. */
const NOTICE_MS = 15_000

function grant(test: StoreUnderTest): Promise<StoreLease> {
  return test.store.grantLease(test.capabilities.minLeaseTtlMs)
}

async function waitUntilGone(test: StoreUnderTest, key: string): Promise<void> {
  await eventually(async () => expect(await find(test.store, key)).toBeUndefined(), { timeoutMs: NOTICE_MS })
}

function lives(test: StoreUnderTest): void {
  it('lasts at least as long as was asked for', async () => {
    const { minLeaseTtlMs } = test.capabilities
    const lease = await test.store.grantLease(minLeaseTtlMs + 1)
    expect(lease.ttlMs).toBeGreaterThan(minLeaseTtlMs)
    expect(lease.leaseId).not.toBe((await grant(test)).leaseId)
  })

  it('is granted without a new revision', async () => {
    const before = await put(test.store, 'a', '1')
    const { leaseId } = await grant(test)
    await test.store.keepLeaseAlive(leaseId)
    await test.store.revokeLease(leaseId)
    expect(await test.store.currentRevision()).toBe(before)
  })

  it('is refused for a time to live that is not positive', async () => {
    for (const ttlMs of [0, -1, NaN, Infinity])
      expect(await refusal(test.store.grantLease(ttlMs))).toBe('STORE_INVALID_REQUEST')
  })

  it('deletes its keys in one revision when its time is up', async () => {
    const { leaseId, ttlMs } = await grant(test)
    const start = await write(test.store, putOf('a', '1', leaseId), putOf('b', '1', leaseId), putOf('c', '1'))
    const probe = new WatchProbe(test.store, EVERYTHING, start)
    await test.pass(ttlMs)
    await waitUntilGone(test, 'a')
    await probe.reaches(start + 1n)
    await probe.stop()
    const [batch, ...others] = changes(probe.batches)
    expect(others).toEqual([])
    expect(batch?.events.map((event) => [event.kind, keyOf(event)])).toEqual([
      ['delete', 'a'],
      ['delete', 'b'],
    ])
    expect(await keys(test.store)).toEqual(['c'])
  })

  it('that has ended is not found', async () => {
    const { leaseId, ttlMs } = await grant(test)
    await write(test.store, putOf('a', '1', leaseId))
    await test.pass(ttlMs)
    await waitUntilGone(test, 'a')
    expect(await refusal(test.store.keepLeaseAlive(leaseId))).toBe('STORE_LEASE_NOT_FOUND')
    expect(await refusal(write(test.store, putOf('b', '1', leaseId)))).toBe('STORE_LEASE_NOT_FOUND')
  })

  it('lives on while it is kept alive, and ends after that', async () => {
    const { leaseId, ttlMs } = await grant(test)
    await write(test.store, putOf('a', '1', leaseId))
    for (let beat = 0; beat < 5; beat++) {
      await test.pass(ttlMs / 2)
      await test.store.keepLeaseAlive(leaseId)
    }
    expect(await find(test.store, 'a')).toMatchObject({ value: '1', leaseId })
    await test.pass(ttlMs)
    await waitUntilGone(test, 'a')
  })

  it('ends at once when it is revoked, with its keys in one revision', async () => {
    const { leaseId } = await grant(test)
    const before = await write(test.store, putOf('a', '1', leaseId), putOf('b', '1', leaseId))
    await test.store.revokeLease(leaseId)
    expect(await keys(test.store)).toEqual([])
    expect(await test.store.currentRevision()).toBe(before + 1n)
    expect(await refusal(test.store.keepLeaseAlive(leaseId))).toBe('STORE_LEASE_NOT_FOUND')
  })

  it('may be revoked twice', async () => {
    const { leaseId } = await grant(test)
    await test.store.revokeLease(leaseId)
    await test.store.revokeLease(leaseId)
    expect(await refusal(test.store.keepLeaseAlive(leaseId))).toBe('STORE_LEASE_NOT_FOUND')
  })
}

function attachments(test: StoreUnderTest): void {
  it('that was never granted refuses a put, and the whole transaction with it', async () => {
    expect(await refusal(write(test.store, putOf('a', '1'), putOf('b', '1', '12345')))).toBe('STORE_LEASE_NOT_FOUND')
    expect(await keys(test.store)).toEqual([])
  })

  it('is told with the entry', async () => {
    const { leaseId } = await grant(test)
    await write(test.store, putOf('a', '1', leaseId))
    expect((await find(test.store, 'a'))?.leaseId).toBe(leaseId)
  })

  it('lets go of a key that is put without it', async () => {
    const { leaseId } = await grant(test)
    await write(test.store, putOf('a', '1', leaseId))
    await put(test.store, 'a', '2')
    await test.store.revokeLease(leaseId)
    const entry = await find(test.store, 'a')
    expect(entry).toMatchObject({ value: '2', version: 2n })
    expect(entry).not.toHaveProperty('leaseId')
  })

  it('lets go of a key that moves to another lease', async () => {
    const [first, second] = [await grant(test), await grant(test)]
    await write(test.store, putOf('a', '1', first.leaseId))
    await write(test.store, putOf('a', '2', second.leaseId))
    await test.store.revokeLease(first.leaseId)
    expect(await find(test.store, 'a')).toMatchObject({ value: '2', leaseId: second.leaseId })
    await test.store.revokeLease(second.leaseId)
    expect(await find(test.store, 'a')).toBeUndefined()
  })

  it('has no hold on a key that was deleted and put again without it', async () => {
    const { leaseId } = await grant(test)
    await write(test.store, putOf('a', '1', leaseId))
    await write(test.store, { kind: 'delete', select: { key: 'a' } })
    await put(test.store, 'a', '2')
    await test.store.revokeLease(leaseId)
    expect(await find(test.store, 'a')).toMatchObject({ value: '2' })
  })
}
