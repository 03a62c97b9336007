import { openEtcdStore, type RevisionedStore } from '@tributary/store'
import { describeWithEtcd, EtcdServer, eventually, FaultProxy } from '@tributary/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { routeItems, viewItems } from '../domain/items.js'
import { itemsText } from '../testing/channel-model.test-support.js'
import { dropEntry, putDocument, putEntry, usualWorld } from '../testing/random-world.test-support.js'
import { TestCluster, type TestReplica } from '../testing/replica.test-support.js'
import { StreamClient } from '../testing/stream-client.test-support.js'
import { CatalogMirror } from './catalog-mirror.js'

/** Connections that are cut come back after a pause, and there are several in each test. */
const WHILE_RECONNECTING = { timeout: 60_000 }
/** A fifth at most of what the watch has to catch up with. */
const CUT_AFTER_BYTES = 6_000

describeWithEtcd('a replica on etcd that was cut off', () => {
  let etcd: EtcdServer
  let proxy: FaultProxy
  /** On the same keys as the cluster's store, but behind the proxy. */
  let remote: RevisionedStore
  let cluster: TestCluster
  let replica: TestReplica
  let client: StreamClient

  beforeEach(async () => {
    etcd = await EtcdServer.start()
    proxy = await FaultProxy.start(etcd.port)
    cluster = TestCluster.on(await openEtcdStore({ endpoints: [etcd.endpoint], prefix: 'test/' }))
    const endpoints = [`http://127.0.0.1:${proxy.port}`]
    remote = await openEtcdStore({ endpoints, prefix: 'test/', watchOutageMs: 500 })
    const { token } = await cluster.createToken({ role: 'viewer' })
    await cluster.write(...usualWorld)
    replica = await cluster.replica({}, remote)
    client = new StreamClient({ tenant: 'f1', channels: 'view,routes', token })
    await client.connect(replica.url)
    await client.until(() => client.view.revision !== undefined)
  })

  afterEach(async () => {
    client.cut()
    await cluster.stop()
    await remote.close()
    await proxy.close()
    await etcd.stop()
  })

  /** Writes far more than goes through before the next cut, and ends with what differs from before. */
  async function writeMuch(): Promise<bigint> {
    for (let size = 0; size < 20; size += 1) {
      await cluster.write(putDocument('f1', 'b', { size, text: 'x'.repeat(1_000) }), putEntry('f1', 'b', size + 1))
    }
    await cluster.write(dropEntry('f1', 'b'), dropEntry('f1', 'a'))
    return cluster.write(putDocument('integration', '*', { level: 2 }))
  }

  /** Lets connections through, but only so far, until several have been cut; then all. */
  async function healInSteps(): Promise<void> {
    proxy.cutAfter(CUT_AFTER_BYTES)
    const refused = proxy.accepted
    proxy.accept()
    await eventually(() => expect(proxy.accepted).toBeGreaterThan(refused + 3), { timeoutMs: 30_000 })
    proxy.cutAfter(undefined)
  }

  /** What a replica knows that has just started. */
  async function expectTruth(): Promise<void> {
    const fresh = await CatalogMirror.start({ store: cluster.store, signal: AbortSignal.timeout(10_000) })
    const truth = [viewItems(fresh.catalog, 'f1', null), routeItems(fresh.catalog, 'integration')].map(itemsText)
    await fresh.stop()
    expect([client.view.text, client.routes.text]).toEqual(truth)
    expect([client.ended, client.view.violations, client.routes.violations]).toEqual([0, [], []])
  }

  it(
    'tells its subscribers every change, although it is cut off again while it catches up',
    WHILE_RECONNECTING,
    async () => {
      proxy.refuse()
      const last = await writeMuch()
      await healInSteps()
      await client.reaches(last, 20_000)
      await expectTruth()
      const deltas = client.view.states.filter(({ via }) => via === 'delta')
      expect(deltas.length).toBeGreaterThan(20)
    },
  )

  it(
    'tells them the difference in one delta for each channel when what it missed is compacted',
    WHILE_RECONNECTING,
    async () => {
      const before = client.frames.length
      proxy.refuse()
      const last = await writeMuch()
      await cluster.store.compact(last)
      proxy.accept()
      await client.reaches(last, 20_000)
      await expectTruth()
      const told = client.frames.slice(before).filter(({ event }) => event !== 'heartbeat')
      expect(told.map(({ event }) => event)).toEqual(['routes.delta', 'view.delta'])
    },
  )
})
