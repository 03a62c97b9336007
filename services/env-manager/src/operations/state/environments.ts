import { INTEGRATION_TENANT } from '@tributary/contract'
import type { RevisionedStore } from '@tributary/store'
import type { Heads } from '../../domain/desired-state.js'
import { environmentNameOf } from '../../domain/environment-name.js'
import { newEnvironmentRecord, type EnvironmentRecord } from '../../domain/environment-record.js'
import { failure } from '../../errors.js'
import { absent, listJson, putJson, readJson, updateJson, type Alongside } from './json-store.js'
import { stateKeys } from './keys.js'
import { nextGeneration } from './receipts.js'

/** The record of an environment; undefined when there is none. */
export async function findEnvironment(store: RevisionedStore, name: string): Promise<EnvironmentRecord | undefined> {
  return (await readJson<EnvironmentRecord>(store, stateKeys.environment(name)))?.value
}

/** @throws AppError `ENVIRONMENT_NOT_FOUND` */
export async function getEnvironment(store: RevisionedStore, name: string): Promise<EnvironmentRecord> {
  const record = await findEnvironment(store, name)
  if (record !== undefined) return record
  throw failure(
    'ENVIRONMENT_NOT_FOUND',
    `There is no environment "${name}"; \`tributary env list\` shows those there are`,
  )
}

/** All records, by name. */
export async function listEnvironments(store: RevisionedStore): Promise<readonly EnvironmentRecord[]> {
  return (await listJson<EnvironmentRecord>(store, stateKeys.environments)).map(({ value }) => value)
}

/** Changes a record by compare-and-set; returning the same record writes nothing. Undefined when it is gone. */
export async function updateEnvironment(
  store: RevisionedStore,
  name: string,
  change: (
    record: EnvironmentRecord,
  ) => EnvironmentRecord | { readonly record: EnvironmentRecord; readonly alongside: Alongside },
): Promise<EnvironmentRecord | undefined> {
  return updateJson<EnvironmentRecord>(store, stateKeys.environment(name), (current) => {
    const next = change(current)
    if (next === current) return undefined
    return 'record' in next ? { value: next.record, alongside: next.alongside } : { value: next }
  })
}

/** A branch that is to get an environment. */
export interface EnvironmentClaim {
  readonly kind: 'integration' | 'feature'
  readonly branch: string
  readonly heads: Heads
  /** Epoch milliseconds. */
  readonly now: number
}

/**
 * Gives a branch its environment's name and record in one transaction that compares both directions of the mapping with
 * absence (docs/adr/0005), and ends its suspension. Resolves to the record, also when it was there before.
 */
export async function claimEnvironment(store: RevisionedStore, claim: EnvironmentClaim): Promise<EnvironmentRecord> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const existing = await findByBranch(store, claim)
    if (existing !== undefined) return existing
    const record = await draftRecord(store, claim)
    const { succeeded } = await store.transact({
      compares: [
        absent(stateKeys.name(record.name)),
        absent(branchKey(claim)),
        absent(stateKeys.environment(record.name)),
      ],
      mutations: [
        putJson(stateKeys.name(record.name), { branch: claim.branch }),
        putJson(branchKey(claim), { name: record.name }),
        putJson(stateKeys.environment(record.name), record),
        { kind: 'delete', select: { key: stateKeys.suspension(claim.branch) } },
      ],
    })
    if (succeeded) return record
  }
  throw failure('STATE_CONFLICT', `Naming the environment of branch "${claim.branch}": the registry kept changing`)
}

/** The registry's keys of an environment, and what goes with them: deleted in the transaction that writes its receipt. */
export function registryKeysOf(record: EnvironmentRecord): readonly string[] {
  const kind = record.name === INTEGRATION_TENANT ? 'integration' : 'feature'
  return [
    stateKeys.name(record.name),
    branchKey({ kind, branch: record.branch }),
    stateKeys.environment(record.name),
    stateKeys.activity(record.name),
  ]
}

async function findByBranch(store: RevisionedStore, claim: EnvironmentClaim): Promise<EnvironmentRecord | undefined> {
  const mapping = await readJson<{ readonly name: string }>(store, branchKey(claim))
  return mapping === undefined ? undefined : findEnvironment(store, mapping.value.name)
}

async function draftRecord(store: RevisionedStore, claim: EnvironmentClaim): Promise<EnvironmentRecord> {
  const { branch, heads, now } = claim
  const { entries } = await store.range({ select: { prefix: stateKeys.names } })
  const taken = new Set(entries.map(({ key }) => key))
  const isIntegration = claim.kind === 'integration'
  const name = isIntegration ? INTEGRATION_TENANT : environmentNameOf(branch, (one) => taken.has(stateKeys.name(one)))
  const stage = isIntegration ? 'integration' : 'development'
  return newEnvironmentRecord({ name, branch, stage, generation: await nextGeneration(store, name), heads, now })
}

/** Integration is built from one branch of each repository, so it is registered under a key that no branch can have. */
function branchKey({ kind, branch }: Pick<EnvironmentClaim, 'kind' | 'branch'>): string {
  return kind === 'integration' ? stateKeys.branch('..integration') : stateKeys.branch(branch)
}
