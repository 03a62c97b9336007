import type { LedgerLine } from '@tributary/contract'
import type { RevisionedStore } from '@tributary/store'
import type { EnvironmentRecord } from '../../domain/environment-record.js'
import { failure } from '../../errors.js'
import { absent, listJson, putJson, readJson, unchanged } from './json-store.js'
import { stateKeys } from './keys.js'

/** Writes a line before the thing is made. Idempotent: the first moment stays. */
export async function recordLedgerLine(store: RevisionedStore, line: LedgerLine): Promise<void> {
  const key = stateKeys.ledgerLine(line)
  await store.transact({ compares: [absent(key)], mutations: [putJson(key, line)] })
}

/**
 * Writes a line for work outside of a run, in a transaction with the record's being there without a tombstone: a teardown that begins later finds it.
 * @throws AppError `ENVIRONMENT_TERMINATING` when that generation of the environment is gone or going.
 */
export async function recordLedgerLineWhileThere(store: RevisionedStore, line: LedgerLine): Promise<void> {
  const key = stateKeys.ledgerLine(line)
  for (;;) {
    const stored = await readJson<EnvironmentRecord>(store, stateKeys.environment(line.environment))
    if (stored === undefined || stored.value.tombstone !== null || stored.value.generation !== line.generation) {
      const what = `Recording ${line.kind} ${line.id}`
      throw failure('ENVIRONMENT_TERMINATING', `${what}: the environment ${line.environment} is gone or going`)
    }
    if ((await readJson(store, key)) !== undefined) return
    const { succeeded } = await store.transact({
      compares: [unchanged(stored), absent(key)],
      mutations: [putJson(key, line)],
    })
    if (succeeded) return
  }
}

/** All lines of an environment, in key order. */
export async function listLedger(store: RevisionedStore, environment: string): Promise<readonly LedgerLine[]> {
  return (await listJson<LedgerLine>(store, stateKeys.ledgerOf(environment))).map(({ value }) => value)
}

/** Strikes a line out: only after its thing was verified gone. Idempotent. */
export async function strikeLedgerLine(store: RevisionedStore, line: LedgerLine): Promise<void> {
  await store.transact({ compares: [], mutations: [{ kind: 'delete', select: { key: stateKeys.ledgerLine(line) } }] })
}
