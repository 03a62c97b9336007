import { AppError } from '@tributary/kit'
import { expect, it } from 'vitest'
import { listReplicas, type ToldReplica } from './list-replicas.js'

const AT = '2026-01-01T00:00:00.000Z'
const replica = (replicaId: string, given: Partial<ToldReplica> = {}): ToldReplica => ({
  replicaId,
  url: `http://${replicaId}:7400`,
  answering: false,
  report: { storeRevision: '10', staleSince: null, subscribers: 3 },
  ...given,
})
const store = { currentRevision: async () => 10n }

it('says of each replica by how much it is behind the store, the one that answers first', async () => {
  const { storeRevision, replicas } = await listReplicas(store, async () => [
    replica('b', { report: { storeRevision: '7', staleSince: AT, subscribers: 1 } }),
    replica('a'),
    replica('c', { answering: true, report: { storeRevision: '11', staleSince: null, subscribers: 0 } }),
  ])
  expect(storeRevision).toBe('10')
  expect(replicas).toMatchObject([
    { replicaId: 'c', answering: true, state: 'ready', behind: '0', subscribers: 0 },
    { replicaId: 'a', state: 'ready', behind: '0', since: null, subscribers: 3 },
    { replicaId: 'b', state: 'stale', behind: '3', since: AT, storeRevision: '7' },
  ])
})

it('names a replica that does not answer, and tells what it can while the store is away', async () => {
  const away = {
    currentRevision: async () => {
      throw new AppError({ kind: 'unavailable', code: 'STORE_UNAVAILABLE', message: 'away' })
    },
  }
  expect(await listReplicas(away, async () => [replica('a'), replica('b', { report: undefined })])).toMatchObject({
    storeRevision: null,
    replicas: [
      { replicaId: 'a', state: 'ready', storeRevision: '10', behind: null },
      { replicaId: 'b', state: 'unreachable', storeRevision: null, behind: null, subscribers: null },
    ],
  })
})
