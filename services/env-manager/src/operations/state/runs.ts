import { randomBytes } from 'node:crypto'
import type { Run } from '@tributary/contract'
import type { RevisionedStore } from '@tributary/store'
import { failure } from '../../errors.js'
import { listJson, putJson, readJson } from './json-store.js'
import { stateKeys } from './keys.js'

/** Runs that are kept for each environment name. */
export const KEPT_RUNS = 50

/** A new run id; ids sort by the moment they were made. */
export function newRunId(now: number): string {
  return `${now.toString(36).padStart(9, '0')}-${randomBytes(4).toString('hex')}`
}

/** @throws AppError `RUN_NOT_FOUND` */
export async function getRun(store: RevisionedStore, runId: string): Promise<Run> {
  const stored = await readJson<Run>(store, stateKeys.run(runId))
  if (stored !== undefined) return stored.value
  throw failure('RUN_NOT_FOUND', `There is no run "${runId}"; the newest ${KEPT_RUNS} of each environment are kept`)
}

/** Runs, newest first, of one environment or of all. */
export async function listRuns(
  store: RevisionedStore,
  { environment, limit }: { readonly environment?: string; readonly limit: number },
): Promise<readonly Run[]> {
  if (environment === undefined) {
    return (await listJson<Run>(store, stateKeys.runs))
      .slice(-limit)
      .map(({ value }) => value)
      .reverse()
  }
  const ids = (await runIdsOf(store, environment)).slice(-limit).reverse()
  const runs = await Promise.all(ids.map((runId) => readJson<Run>(store, stateKeys.run(runId))))
  return runs.flatMap((run) => (run === undefined ? [] : [run.value]))
}

/** Forgets an environment's oldest runs beyond {@link KEPT_RUNS}; resolves to their ids. */
export async function pruneRuns(store: RevisionedStore, environment: string): Promise<readonly string[]> {
  const old = (await runIdsOf(store, environment)).slice(0, -KEPT_RUNS)
  for (const runId of old) await deleteRun(store, { runId, environment })
  return old
}

/** How long runs of environments that are gone are kept. */
const KEPT_AFTER_MS = 30 * 24 * 3_600_000

/** Forgets runs of environments that are gone and were never made again, after 30 days; resolves to their ids. Receipts stay. */
export async function pruneOrphanedRuns(
  store: RevisionedStore,
  { existing, now }: { readonly existing: ReadonlySet<string>; readonly now: number },
): Promise<readonly string[]> {
  const old = (await listJson<Run>(store, stateKeys.runs)).filter(
    ({ value }) =>
      !existing.has(value.environment) && Date.parse(value.finishedAt ?? value.startedAt) < now - KEPT_AFTER_MS,
  )
  for (const { value } of old) await deleteRun(store, value)
  return old.map(({ value }) => value.runId)
}

/** Marks runs that an earlier process left under way as interrupted. */
export async function interruptRuns(store: RevisionedStore, finishedAt: string): Promise<void> {
  for (const { key, value } of await listJson<Run>(store, stateKeys.runs)) {
    if (value.state !== 'running') continue
    const steps = value.steps.map((step) =>
      step.state === 'running'
        ? { ...step, state: 'failed' as const, finishedAt, message: 'the manager stopped' }
        : step,
    )
    await store.transact({
      compares: [],
      mutations: [putJson(key, { ...value, steps, state: 'interrupted', finishedAt })],
    })
  }
}

async function runIdsOf(store: RevisionedStore, environment: string): Promise<readonly string[]> {
  const prefix = stateKeys.runsOf(environment)
  const { entries } = await store.range({ select: { prefix } })
  return entries.map(({ key }) => key.slice(prefix.length))
}

async function deleteRun(
  store: RevisionedStore,
  { runId, environment }: Pick<Run, 'runId' | 'environment'>,
): Promise<void> {
  const keys = [stateKeys.run(runId), stateKeys.runOf(environment, runId)]
  await store.transact({ compares: [], mutations: keys.map((key) => ({ kind: 'delete', select: { key } })) })
}
