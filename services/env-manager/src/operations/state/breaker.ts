import type { RevisionedStore } from '@tributary/store'
import { failure } from '../../errors.js'
import { putJson, readJson, updateJson } from './json-store.js'
import { stateKeys } from './keys.js'

/** Removals that wait for a person, and the set that a person has approved. `since` is epoch milliseconds. */
export interface BreakerState {
  readonly since: number
  readonly reason: string
  readonly wouldDelete: readonly string[]
  readonly approvalId: string
  readonly approvedId?: string
}

/** Undefined while nothing waits. */
export async function findBreaker(store: RevisionedStore): Promise<BreakerState | undefined> {
  return (await readJson<BreakerState>(store, stateKeys.breaker))?.value
}

/** Writes what waits now; undefined: nothing. */
export async function saveBreaker(store: RevisionedStore, state: BreakerState | undefined): Promise<void> {
  const key = stateKeys.breaker
  const mutation = state === undefined ? ({ kind: 'delete', select: { key } } as const) : putJson(key, state)
  await store.transact({ compares: [], mutations: [mutation] })
}

/**
 * Approves exactly the set that waits under `approvalId`.
 * @throws AppError `APPROVAL_NOT_FOUND` when another set waits by now, or none.
 */
export async function approveRemovals(store: RevisionedStore, approvalId: string): Promise<void> {
  let matched = false
  await updateJson<BreakerState>(store, stateKeys.breaker, (state) => {
    matched = state.approvalId === approvalId
    return matched ? { value: { ...state, approvedId: approvalId } } : undefined
  })
  if (matched) return
  throw failure(
    'APPROVAL_NOT_FOUND',
    `Nothing waits for approval "${approvalId}"; \`tributary status\` shows what waits now`,
  )
}
