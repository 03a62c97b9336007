import type { LedgerLine } from '@tributary/contract'
import type { RevisionedStore } from '@tributary/store'
import { absent, listJson, putJson } from './json-store.js'
import { stateKeys } from './keys.js'

/** Writes a line before the thing is made. Idempotent: the first moment stays. */
export async function recordLedgerLine(store: RevisionedStore, line: LedgerLine): Promise<void> {
  const key = stateKeys.ledgerLine(line)
  await store.transact({ compares: [absent(key)], mutations: [putJson(key, line)] })
}

/** All lines of an environment, in key order. */
export async function listLedger(store: RevisionedStore, environment: string): Promise<readonly LedgerLine[]> {
  return (await listJson<LedgerLine>(store, stateKeys.ledgerOf(environment))).map(({ value }) => value)
}

/** Strikes a line out: only after its thing was verified gone. Idempotent. */
export async function strikeLedgerLine(store: RevisionedStore, line: LedgerLine): Promise<void> {
  await store.transact({ compares: [], mutations: [{ kind: 'delete', select: { key: stateKeys.ledgerLine(line) } }] })
}
