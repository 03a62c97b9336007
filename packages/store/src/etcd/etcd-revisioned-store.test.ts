import { describeRevisionedStore, describeWithEtcd, EtcdServer } from '@tributary/testkit'
import { afterAll, beforeAll } from 'vitest'
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

  describeRevisionedStore(
    'EtcdRevisionedStore',
    async () => {
      stores += 1
      const options = { endpoints: [server.endpoint], prefix: `test-${stores}/` }
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
    },
    { reopen: true, minLeaseTtlMs: 1_000 },
  )
})
