import type { Mutation, RevisionedStore } from '@tributary/store'
import type { Heads } from '../../domain/desired-state.js'
import { listJson, putJson } from './json-store.js'
import { stateKeys } from './keys.js'

interface Suspension {
  readonly branch: string
  readonly heads: Heads
}

/** Branches whose environment was deleted on request or expired, with their heads then: they rest until the next push. */
export async function listSuspensions(store: RevisionedStore): Promise<ReadonlyMap<string, Heads>> {
  const stored = await listJson<Suspension>(store, stateKeys.suspensions)
  return new Map(stored.map(({ value }) => [value.branch, value.heads]))
}

/** Part of the transaction that writes the tombstone. */
export function putSuspension(suspension: Suspension): Mutation {
  return putJson(stateKeys.suspension(suspension.branch), suspension)
}

/** Forgets the suspension of a branch that is gone. */
export async function dropSuspension(store: RevisionedStore, branch: string): Promise<void> {
  await store.transact({
    compares: [],
    mutations: [{ kind: 'delete', select: { key: stateKeys.suspension(branch) } }],
  })
}
