import type { TenantChanges } from '@tributary/contract'
import { createConfigCenterClient } from '@tributary/client'
import { eventually } from '@tributary/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { putDocument, putEntry, usualWorld } from '../../testing/random-world.test-support.js'
import { TestCluster, type TestReplica } from '../../testing/replica.test-support.js'

let cluster: TestCluster
let replica: TestReplica
let seen: TenantChanges[]
const leaving = new AbortController()

beforeEach(async () => {
  seen = []
  cluster = await TestCluster.start()
  await cluster.write(...usualWorld)
  replica = await cluster.replica()
})

afterEach(() => cluster.stop())

async function follow(): Promise<void> {
  const { token } = await cluster.createToken({ role: 'viewer' })
  const client = createConfigCenterClient({ baseUrl: replica.url, token })
  void (async () => {
    for await (const one of client.watchChanges(leaving.signal)) seen.push(one)
    seen.push({ storeRevision: 'ended', tenants: [] })
  })()
  await eventually(() => expect(seen).toHaveLength(1))
}

it('names the tenants that change, at their revision, and ends with the server', async () => {
  await follow()
  const revision = await cluster.write(putDocument('f1', 'a', { x: 1 }), putEntry('integration', 'a', 9))
  await eventually(() => expect(seen.at(-1)).toEqual({ storeRevision: `${revision}`, tenants: ['f1', 'integration'] }))
  await replica.close()
  await eventually(() => expect(seen.at(-1)?.storeRevision).toBe('ended'))
})

it('is refused to a tenant’s token and to nobody', async () => {
  const { token } = await cluster.createToken({ role: 'tenant', tenant: 'f1' })
  const statuses = await Promise.all(
    [{ authorization: `Bearer ${token}` }, {}].map(
      async (headers) => (await fetch(`${replica.url}/v1/changes`, { headers })).status,
    ),
  )
  expect(statuses).toEqual([403, 401])
})
