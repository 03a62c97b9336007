import { afterEach, beforeEach, expect, it } from 'vitest'
import { CuttableStore } from '../testing/cuttable-store.test-support.js'
import { dropGray, putDocument, putGray, usualWorld } from '../testing/random-world.test-support.js'
import { TestCluster, type TestReplica } from '../testing/replica.test-support.js'
import { StreamClient, type StreamClientOptions } from '../testing/stream-client.test-support.js'

const TENANT = 'integration'

let cluster: TestCluster
let token: string
/** Loses the store, and lists it again afterwards. */
let remote: TestReplica
let store: CuttableStore
/** Follows the store all the time. */
let near: TestReplica
let client: StreamClient | undefined

beforeEach(async () => {
  cluster = await TestCluster.start()
  token = (await cluster.createToken({ role: 'viewer' })).token
  await cluster.write(...usualWorld)
  store = new CuttableStore(cluster.store)
  remote = await cluster.replica({}, store)
  near = await cluster.replica()
})

afterEach(async () => {
  client?.cut()
  await cluster.stop()
})

const sizes = (size: number) => putDocument(TENANT, 'a', { size })

async function follow(options: Omit<StreamClientOptions, 'tenant' | 'token'>): Promise<StreamClient> {
  client = new StreamClient({ tenant: TENANT, token, ...options })
  await client.connect(remote.url)
  await client.until(() => client?.view.revision !== undefined)
  return client
}

/** Has the client see on the near replica what is written now, and leave it again. */
async function seeElsewhere(on: StreamClient, ...writes: Parameters<TestCluster['write']>): Promise<void> {
  await on.connect(near.url)
  const revision = await cluster.write(...writes)
  await on.reaches(revision)
  on.cut()
}

/** The remote replica finds a store again that no longer knows what has happened meanwhile. */
async function listAgain(): Promise<void> {
  const last = await cluster.store.currentRevision()
  await cluster.store.compact(last)
  store.heal()
  await remote.mirror.waitFor(last, { signal: AbortSignal.timeout(5_000) })
}

/** Has the client come back to the remote replica and see one more change there. */
async function comeBack(to: StreamClient, last: Parameters<TestCluster['write']>[0]): Promise<void> {
  await to.connect(remote.url)
  await to.reaches(await cluster.write(last))
}

const configOf = ({ view }: StreamClient) => view.items.get('config/a')

it('sends a snapshot to a client that says no hash and has seen what a listing does not show', async () => {
  const follower = await follow({ service: 'a', sendHashes: false })
  store.cut()
  await seeElsewhere(follower, sizes(7))
  await cluster.write(putDocument(TENANT, 'a', { size: 1, list: [1] }))
  await listAgain()
  await comeBack(follower, putDocument(TENANT, '*', { level: 2 }))
  expect([configOf(follower), follower.view.violations]).toEqual([{ level: 2, size: 1, list: [1] }, []])
  expect(follower.frames.filter(({ event }) => event === 'view.snapshot')).toHaveLength(2)
})

it('knows no release that began and ended before it listed again, and gives a member of it no foreign changes', async () => {
  const follower = await follow({ service: 'a', instance: 'i-1' })
  store.cut()
  await seeElsewhere(follower, putGray(TENANT, 'a', { patch: { size: 2 }, instances: ['i-1'] }))
  await cluster.write(dropGray(TENANT, 'a'), putDocument(TENANT, 'a', { size: 2, list: [1] }))
  await listAgain()
  const third = await cluster.write(sizes(3))
  await remote.mirror.waitFor(third, { signal: AbortSignal.timeout(5_000) })
  await comeBack(follower, sizes(4))
  expect([configOf(follower), follower.view.violations]).toEqual([{ level: 1, size: 4 }, []])
})

it('goes on with what was missed for a client that says no hash and left after it listed again', async () => {
  const follower = await follow({ service: 'a', sendHashes: false })
  store.cut()
  const listed = await cluster.write(sizes(7))
  await listAgain()
  await follower.reaches(listed)
  follower.cut()
  const missed = await cluster.write(sizes(8))
  await remote.mirror.waitFor(missed, { signal: AbortSignal.timeout(5_000) })
  await comeBack(follower, sizes(9))
  expect([configOf(follower), follower.view.violations]).toEqual([{ level: 1, size: 9 }, []])
  expect(follower.frames.filter(({ event }) => event === 'view.snapshot')).toHaveLength(1)
})
