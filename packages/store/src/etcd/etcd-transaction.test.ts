import type { ITxnResponse } from 'etcd3'
import { describeWithEtcd, EtcdServer } from '@tributary/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Compare, Mutation } from '../revisioned-store.js'
import { useEtcd } from './etcd-fixture.test-support.js'
import type { EtcdRevisionedStore } from './etcd-revisioned-store.js'
import { etcdTransaction, revisionAfter } from './etcd-transaction.js'
import { KeySpace } from './key-space.js'

const keys = new KeySpace('test/')
const put = (key: string): Mutation => ({ kind: 'put', key, value: 'v' })
const remove = (key: string): Mutation => ({ kind: 'delete', select: { key } })
const many = <T>(count: number, make: (key: string) => T): T[] => Array.from({ length: count }, (_, i) => make(`k${i}`))
const absent = (key: string): Compare => ({ select: { key }, target: 'version', op: '=', value: 0n })

function compared(op: Compare['op'], value: bigint): unknown[] {
  const compare: Compare = { select: { prefix: 'a' }, target: 'modRevision', op, value }
  const [etcd] = etcdTransaction(keys, { compares: [compare], mutations: [] }).request.compare ?? []
  return [etcd?.result, etcd?.mod_revision]
}

describe('a transaction for etcd', () => {
  it('says <= and >= with the neighbour, exactly at any size', () => {
    expect(compared('<=', 7n)).toEqual(['Less', '8'])
    expect(compared('>=', 7n)).toEqual(['Greater', '6'])
    expect(compared('>=', 0n)).toEqual(['Greater', '-1'])
    expect(compared('<=', 2n ** 53n)).toEqual(['Less', '9007199254740993'])
    expect(compared('=', 2n ** 80n)).toEqual(['Equal', '9223372036854775807'])
    expect(compared('>', -(2n ** 80n))).toEqual(['Greater', '-9223372036854775807'])
    expect(compared('!=', 7n)).toEqual(['NotEqual', '7'])
  })

  it('keeps to its prefix, and never names the head or the data keys by a selector', () => {
    const first = Buffer.from('test/\0\0')
    expect(keys.intervalOf({ prefix: '' })).toEqual({ key: first, range_end: Buffer.from('test0') })
    expect(keys.intervalOf({ prefix: '\0' })).toEqual({ key: first, range_end: Buffer.from('test/\u0001') })
    expect(keys.intervalOf({ prefix: 'é' })).toEqual({
      key: Buffer.from('test/é'),
      range_end: Buffer.from([...Buffer.from('test/'), 0xc3, 0xaa]),
    })
    expect(keys.intervalOf({ key: 'a' })).toEqual({ key: Buffer.from('test/a') })
  })

  it('reads the last revision from the head when nothing was changed, else from the header', () => {
    const header = { revision: '9' }
    const read = { response_range: { kvs: [{ mod_revision: '5' }] } }
    expect(revisionAfter({ header, responses: [read] } as unknown as ITxnResponse)).toBe(5n)
    expect(
      revisionAfter({ header, responses: [{ response_txn: { responses: [read] } }] } as unknown as ITxnResponse),
    ).toBe(5n)
    expect(revisionAfter({ header, responses: [{ response_put: {} }] } as unknown as ITxnResponse)).toBe(9n)
  })
})

describeWithEtcd('a transaction at the limits of etcd', () => {
  const etcd = useEtcd()
  let server: EtcdServer
  let tests = 0
  beforeAll(async () => {
    server = await EtcdServer.start()
  })
  afterAll(async () => {
    await server.stop()
  })
  const open = (): Promise<EtcdRevisionedStore> => etcd.store(server.endpoint, { prefix: `limit-${++tests}/` })

  it('is counted by the revision, and seen by watches, at 128 puts under 128 compares', async () => {
    const store = await open()
    const watch = etcd.watch(store, await store.currentRevision())
    const request = { compares: many(128, absent), mutations: many(128, put) }
    const { succeeded, storeRevision } = await store.transact(request)
    expect(succeeded).toBe(true)
    expect(await store.currentRevision()).toBeGreaterThanOrEqual(storeRevision)
    await watch.reaches(await store.currentRevision())
    expect(watch.whole.batches.filter((batch) => batch.events.length > 0)).toMatchObject([{ storeRevision }])
    const before = await store.currentRevision()
    expect(await store.transact(request)).toEqual({ succeeded: false, storeRevision: before })
    expect(await store.currentRevision()).toBe(before)
  })

  it('with 128 deletes raises the revision only when one of them found something', async () => {
    const store = await open()
    for (const compares of [[], many(128, absent)]) {
      const before = await store.currentRevision()
      const nothing = await store.transact({ compares, mutations: many(128, remove) })
      expect(nothing).toEqual({ succeeded: true, storeRevision: before })
      expect(await store.currentRevision()).toBe(before)
      const { storeRevision: there } = await store.transact({ compares: [], mutations: [put('x127')] })
      const mutations = [...many(127, remove), remove('x127')]
      const { storeRevision } = await store.transact({ compares, mutations })
      expect(storeRevision).toBe(there + 1n)
      expect(await store.currentRevision()).toBeGreaterThanOrEqual(storeRevision)
      expect((await store.range({ select: { prefix: '' } })).entries).toEqual([])
    }
  })

  it('keeps lease ids exact, which are larger than a JavaScript number', async () => {
    const store = await open()
    const { leaseId } = await store.grantLease(60_000)
    expect(BigInt(leaseId)).toBeGreaterThan(2n ** 53n)
    await store.transact({ compares: [], mutations: [{ kind: 'put', key: 'a', value: '1', leaseId }] })
    expect((await store.range({ select: { key: 'a' } })).entries[0]?.leaseId).toBe(leaseId)
    await store.keepLeaseAlive(leaseId)
    await store.revokeLease(leaseId)
    expect((await store.range({ select: { key: 'a' } })).entries).toEqual([])
  })
})
