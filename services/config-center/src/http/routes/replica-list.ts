import { ReplicaList } from '@tributary/contract'
import type { RevisionedStore } from '@tributary/store'
import { listReplicas, type ToldReplica } from '../../replicas/list-replicas.js'
import type { ReplicaCluster } from '../../replicas/replica-cluster.js'
import { reportOf } from '../../replicas/replica-report.js'
import type { TypedApp } from '../route-deps.js'
import { answers } from '../route-schemas.js'
import type { StreamingDeps } from './streaming-deps.js'

/** What the route works with: this replica, and the others if there are any. */
export interface ReplicaListDeps extends Pick<StreamingDeps, 'live' | 'hub'> {
  readonly store: RevisionedStore
  readonly cluster: ReplicaCluster | undefined
}

const schema = {
  summary: 'The replicas of the config center: how far each has followed the store, and how many subscribers it holds',
  response: answers({ 200: ReplicaList }),
}

/** `GET /v1/replicas`. */
export function replicaListRoute(app: TypedApp, { store, live, hub, cluster }: ReplicaListDeps): void {
  app.get('/v1/replicas', { schema, config: { access: 'read' } }, async () =>
    listReplicas(store, async () => {
      const elsewhere = (await cluster?.reports()) ?? []
      const own: ToldReplica = {
        replicaId: hub.serverId,
        url: cluster?.url ?? null,
        answering: true,
        report: reportOf(live, hub),
      }
      return [own, ...elsewhere.map((one) => ({ ...one, answering: false }))]
    }),
  )
}
