import { describeRevisionedStore, describeWithEtcd, EtcdServer, type RevisionedStoreHarness } from '@tributary/testkit'
import { afterAll, beforeAll, describe } from 'vitest'
import { newTestKeys } from '../encryption/test-keys.test-support.js'
import { openEtcdStore } from './open-etcd-store.js'

describeWithEtcd('etcd', () => {
  let server: EtcdServer
  let stores = 0
  beforeAll(async () => {
    server = await EtcdServer.start()
  })
  afterAll(async () => {
    await server.stop()
  })

  describe.each([
    ['EtcdRevisionedStore', undefined],
    ['EtcdRevisionedStore with encrypted values', newTestKeys()],
  ])('%s', (name, keys) => {
    const create = async (): Promise<RevisionedStoreHarness> => {
      stores += 1
      const options = { endpoints: [server.endpoint], prefix: `test-${stores}/`, keys }
      let store = await openEtcdStore(options)
      return {
        store,
        reopen: async () => {
          await store.close()
          store = await openEtcdStore(options)
          return store
        },
        cleanup: () => store.close(),
      }
    }
    describeRevisionedStore(name, create, { reopen: true, minLeaseTtlMs: 1_000 })
  })
})
