import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@tributary/kit'
import { openEmbeddedStore, type RevisionedStore } from '@tributary/store'
import { eventually } from '@tributary/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Leadership } from '../../leadership/leadership.js'
import { announceReplica, listReplicas } from './manager-replicas.js'

let folder: string
let store: RevisionedStore
let now = Date.parse('2026-01-01T00:00:00.000Z')
const clock = { ...systemClock, now: () => (now += 1000) }

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-replicas-'))
  store = await openEmbeddedStore({ path: join(folder, 'store.db') })
})

afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

const announce = (replicaId: string) => announceReplica({ store, clock, replicaId, url: `http://${replicaId}` })
const listed = async () => (await listReplicas(store)).map(({ replicaId, role, url }) => ({ replicaId, role, url }))

it('lists the leader before those that stand by, and forgets who has gone', async () => {
  expect(await listReplicas(store)).toEqual([])
  const [first, second] = [announce('first'), announce('second')]
  const { signal } = new AbortController()
  const leadership = await Leadership.campaign({
    store,
    clock: systemClock,
    replicaId: 'second',
    url: 'http://second',
    signal,
  })
  await eventually(async () =>
    expect(await listed()).toEqual([
      { replicaId: 'second', role: 'leader', url: 'http://second' },
      { replicaId: 'first', role: 'standby', url: 'http://first' },
    ]),
  )
  expect((await listReplicas(store))[1]?.startedAt).toMatch(/^2026-01-01T/)
  await leadership.resign()
  await second.stop()
  expect(await listed()).toEqual([{ replicaId: 'first', role: 'standby', url: 'http://first' }])
  await first.stop()
})
