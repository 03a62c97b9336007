import { afterEach, beforeEach, expect, it } from 'vitest'
import { dropEntry, dropTenant, putDocument, putEntry, putTenant, usualWorld } from './random-world.test-support.js'
import { TestCluster, type TestReplica } from './replica.test-support.js'
import { StreamClient } from './stream-client.test-support.js'

let cluster: TestCluster
let replica: TestReplica
let token: string

beforeEach(async () => {
  cluster = await TestCluster.start()
  token = (await cluster.createToken({ role: 'viewer' })).token
  await cluster.write(...usualWorld)
  replica = await cluster.replica()
})

afterEach(() => cluster.stop())

it('greets, sends the table, then the view, and only the last frame of a write has an id', async () => {
  const client = new StreamClient({ tenant: 'f1', channels: 'view,routes', token })
  const response = await client.connect(replica.url)
  await client.until(() => client.frames.length >= 3)
  expect(client.frames.map(({ event }) => event)).toEqual(['hello', 'routes.snapshot', 'view.snapshot'])
  expect(client.frames.map(({ id }) => id)).toEqual(['', '', String(await cluster.store.currentRevision())])
  expect(response.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  })
  expect(response.headers['content-encoding']).toBeUndefined()
  client.cut()
})

it('sends a delta for a change and cuts nothing else loose', async () => {
  const client = new StreamClient({ tenant: 'f1', token })
  await client.connect(replica.url)
  const revision = await cluster.write(dropEntry('f1', 'a'))
  await client.reaches(revision)
  expect(client.frames.at(-1)).toMatchObject({
    event: 'view.delta',
    id: String(revision),
    data: { changes: [{ key: 'service/a', value: { state: 'inherited', owner: 'integration' } }] },
  })
  expect(client.view.violations).toEqual([])
  client.cut()
})
