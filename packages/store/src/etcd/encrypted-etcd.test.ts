import { describeWithEtcd, type EtcdServer } from '@tributary/testkit'
import { beforeEach, expect, it } from 'vitest'
import { newKeyLine, newTestKeys } from '../encryption/test-keys.test-support.js'
import type { StoreKeySource } from '../encryption/store-keys.js'
import type { RevisionedStore } from '../revisioned-store.js'
import type { EtcdRevisionedStore } from './etcd-revisioned-store.js'
import { refusal, useEtcd } from './etcd-fixture.test-support.js'

const put = (store: RevisionedStore, key: string, value: string) =>
  store.transact({ compares: [], mutations: [{ kind: 'put', key, value }] })

async function contentOf(store: RevisionedStore, prefix = ''): Promise<string[]> {
  const { entries } = await store.range({ select: { prefix } })
  return entries.map(({ key, value }) => `${key}=${value}`)
}

describeWithEtcd('an encrypted store in etcd', () => {
  const etcd = useEtcd()
  let server: EtcdServer

  beforeEach(async () => {
    server = await etcd.server()
  })

  const open = (keys?: StoreKeySource, prefix = 'all/sealed/'): Promise<EtcdRevisionedStore> =>
    etcd.store(server.endpoint, { prefix, keys })

  it('shows whoever reads etcd no value', async () => {
    const store = await open(newTestKeys())
    await put(store, 'cc/document/x/orders', 'hunter2')
    const raw = await contentOf(await open(undefined, 'all/'))
    expect(raw.map((line) => line.split('=')[0])).toContain('sealed/cc/document/x/orders')
    expect(raw.join('\n')).not.toContain('hunter2')
  })

  it('keeps its data keys from callers: no selector finds them, no deletion takes them, nobody can write there', async () => {
    const store = await open(newTestKeys())
    await put(store, 'a', '1')
    expect([await contentOf(store), await contentOf(store, '\0')]).toEqual([['a=1'], []])
    expect(await refusal(put(store, '\0', 'x'))).toBe('STORE_INVALID_REQUEST')
    for (const prefix of ['', '\0']) {
      await store.transact({ compares: [], mutations: [{ kind: 'delete', select: { prefix } }] })
    }
    await put(store, '\0\0', 'another key')
    expect(await contentOf(store)).toEqual(['\0\0=another key'])
  })

  it('is refused without keys and with others', async () => {
    await put(await open(newTestKeys()), 'a', '1')
    expect(await refusal(open())).toBe('STORE_ENCRYPTED')
    expect(await refusal(open(newTestKeys()))).toBe('STORE_KEY_UNKNOWN')
  })

  it('is not made of one that holds values already: their history in etcd would stay as it is', async () => {
    await put(await open(), 'a', '1')
    expect(await refusal(open(newTestKeys()))).toBe('STORE_NOT_ENCRYPTED')
  })

  it('has one set of data keys, however many processes open it at the same moment', async () => {
    const keys = newTestKeys()
    const stores = await Promise.all(Array.from({ length: 6 }, () => open(keys)))
    for (const [index, store] of stores.entries()) await put(store, `k${index}`, `${index}`)
    for (const store of stores) expect(await contentOf(store)).toHaveLength(6)
  })

  it('goes over to a new key while replicas read, watch and write: each picks up the data key that it has not seen', async () => {
    const [first, second] = [newKeyLine(), newKeyLine()]
    let lines = [first]
    const replica = await open(() => newTestKeys(...lines)())
    const { storeRevision } = await put(replica, 'a', 'old')
    const watch = etcd.watch(replica, storeRevision)
    lines = [second, first]
    const rotating = await open(newTestKeys(...lines))
    const last = await put(rotating, 'b', 'new')
    await watch.reaches(last.storeRevision)
    expect(watch.changes).toEqual([`${last.storeRevision}: b=new`])
    expect(await contentOf(replica)).toEqual(['a=old', 'b=new'])
    await put(replica, 'c', 'newest')
    expect(await contentOf(await open(newTestKeys(second)))).toEqual(['a=old', 'b=new', 'c=newest'])
  })

  it('says that it lacks a key instead of showing less, when another process has gone over to one', async () => {
    const [first, second] = [newKeyLine(), newKeyLine()]
    const replica = await open(newTestKeys(first))
    await put(replica, 'a', 'old')
    await put(await open(newTestKeys(second, first)), 'b', 'new')
    expect(await contentOf(replica, 'a')).toEqual(['a=old'])
    expect(await refusal(contentOf(replica))).toBe('STORE_KEY_UNKNOWN')
    const watch = etcd.watch(replica, 0n)
    expect(await watch.ending()).toBe('STORE_KEY_UNKNOWN')
  })
})
