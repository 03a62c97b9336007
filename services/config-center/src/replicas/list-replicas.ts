import type { Replica, ReplicaList } from '@tributary/contract'
import { isAppError } from '@tributary/kit'
import type { RevisionedStore } from '@tributary/store'
import type { ReplicaReport } from './replica-report.js'

/** How long the store may take to tell its revision: the answer is about how things are, also when they are bad. */
const STORE_MS = 2_000

/** A replica, with what it said; undefined: it did not answer. */
export interface ToldReplica {
  readonly replicaId: string
  readonly url: string | null
  readonly answering: boolean
  readonly report: ReplicaReport | undefined
}

/** How all replicas are doing, beside the store. Never rejects because one of them, or the store, does not answer. */
export async function listReplicas(
  store: Pick<RevisionedStore, 'currentRevision'>,
  ask: () => Promise<readonly ToldReplica[]>,
): Promise<ReplicaList> {
  // Before the replicas: one that is up to date must not look as if it were behind a write that came while it was asked.
  const storeRevision = await findRevision(store)
  const told = await ask()
  return {
    storeRevision: storeRevision === undefined ? null : `${storeRevision}`,
    replicas: [...told].sort(byPlace).map((one) => describe(one, storeRevision)),
  }
}

function describe({ report, ...replica }: ToldReplica, storeRevision: bigint | undefined): Replica {
  if (report === undefined) {
    return { ...replica, state: 'unreachable', since: null, storeRevision: null, behind: null, subscribers: null }
  }
  const { staleSince, subscribers } = report
  const served = BigInt(report.storeRevision)
  return {
    ...replica,
    state: staleSince === null ? 'ready' : 'stale',
    since: staleSince,
    storeRevision: report.storeRevision,
    behind: storeRevision === undefined ? null : `${storeRevision > served ? storeRevision - served : 0n}`,
    subscribers,
  }
}

async function findRevision(store: Pick<RevisionedStore, 'currentRevision'>): Promise<bigint | undefined> {
  const signal = AbortSignal.timeout(STORE_MS)
  try {
    return await store.currentRevision({ signal })
  } catch (error) {
    if (isAppError(error) || signal.aborted) return undefined
    throw error
  }
}

function byPlace(left: ToldReplica, right: ToldReplica): number {
  return Number(right.answering) - Number(left.answering) || (left.replicaId < right.replicaId ? -1 : 1)
}
