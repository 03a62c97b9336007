import type { ManagerReplica } from '@tributary/contract'
import type { Clock } from '@tributary/kit'
import { LeasedEntry, type RevisionedStore } from '@tributary/store'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { stateKeys } from './keys.js'

/** A process that died is listed for this time at most. Milliseconds. */
const LEASE_MS = 10_000

const Presence = Type.Object({ url: Type.String(), startedAt: Type.String() })
const Leader = Type.Object({ id: Type.String() })

/** A process that announces itself. */
export interface PresenceOptions {
  /** The store itself, not a leader's: whoever waits is there too. */
  readonly store: RevisionedStore
  readonly clock: Clock
  readonly replicaId: string
  /** Where it listens. */
  readonly url: string
}

/** Announces this process, leader or standby, until the entry is stopped. Waits for nothing: while the store is away it is not listed. */
export function announceReplica({ store, clock, replicaId, url }: PresenceOptions): LeasedEntry {
  const value = JSON.stringify({ url, startedAt: new Date(clock.now()).toISOString() })
  return LeasedEntry.keep({ store, clock, key: stateKeys.replica(replicaId), value, leaseMs: LEASE_MS })
}

/** The announced processes, the leader first, then in the order in which they came. Empty where nobody announces itself: there is only one. */
export async function listReplicas(store: Pick<RevisionedStore, 'range'>): Promise<readonly ManagerReplica[]> {
  const { entries } = await store.range({ select: { prefix: stateKeys.replicas } })
  const [leader] = (await store.range({ select: { key: stateKeys.leader } })).entries
  const leaderId = leader === undefined ? undefined : Value.Parse(Leader, JSON.parse(leader.value)).id
  return entries
    .map(({ key, value }) => {
      const replicaId = key.slice(stateKeys.replicas.length)
      const { url, startedAt } = Value.Parse(Presence, JSON.parse(value))
      return { replicaId, role: replicaId === leaderId ? ('leader' as const) : ('standby' as const), url, startedAt }
    })
    .sort((left, right) => order(left.role, right.role) || order(left.startedAt, right.startedAt))
}

function order(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
