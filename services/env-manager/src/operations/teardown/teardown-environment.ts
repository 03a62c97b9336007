import type { Change, LedgerLine, Receipt } from '@tributary/contract'
import { isAppError } from '@tributary/kit'
import type { EnvironmentRecord } from '../../domain/environment-record.js'
import { failure } from '../../errors.js'
import type { Aside } from '../../ports/platform.js'
import { removeMeshRoutes } from '../apply-mesh-routes.js'
import { messageOf, type EnvironmentDependencies } from '../dependencies.js'
import { platformContext, type RunContext } from '../deploy/deploy-context.js'
import { transactAll } from '../deploy/register-services.js'
import { listTenantTokens } from '../deploy/register-tenant.js'
import { drain } from '../drain.js'
import { leadCallsOver } from '../lead-calls.js'
import { isPlatformLine, verifyLedgerLine } from '../ledger-verification.js'
import { unlessNotFound } from '../observe-environment.js'
import { RunRecorder } from '../run-recorder.js'
import { registryKeysOf, updateEnvironment } from '../state/environments.js'
import { putJson } from '../state/json-store.js'
import { stateKeys } from '../state/keys.js'
import { listLedger } from '../state/ledger.js'
import { deleteImages } from '../state/images.js'
import { deleteSecrets, secretValuesOf } from '../state/secret-vault.js'

const STEPS = [
  'tombstone',
  'deregister',
  'drain',
  'uninstall',
  'remove-routes',
  'remove-space',
  'remove-secrets',
  'remove-tenant',
  'verify',
  'receipt',
] as const

/**
 * One teardown run (SPEC 5.3) of an environment whose record bears a tombstone. Every step is idempotent, so a run that was
 * interrupted anywhere is simply begun again. Only the manager's own stop ends it early: a push during it waits.
 * @throws AppError `TEARDOWN_INCOMPLETE` (retryable) while something of the ledger is still there; the message names it.
 */
export async function teardownEnvironment(
  deps: EnvironmentDependencies,
  record: EnvironmentRecord,
  { signal, aside }: { readonly signal: AbortSignal; readonly aside: Aside },
): Promise<void> {
  const secrets = new Set(await secretValuesOf(deps.store, record.name))
  const run = await RunRecorder.begin(deps, record, {
    kind: 'teardown',
    trigger: record.tombstone?.reason ?? 'requested',
    commits: Object.entries(record.heads).map(([repository, commitSha]) => ({ repository, commitSha })),
    steps: STEPS.map((name) => ({ name })),
    secrets: () => [...secrets],
  })
  const context: RunContext = { deps, run, record, signal, aside, secrets }
  try {
    await tearDown(context)
  } catch (error) {
    await abandon(context, signal.aborted ? signal.reason : error)
    throw signal.aborted ? signal.reason : error
  } finally {
    await run.close()
  }
}

async function tearDown(context: RunContext): Promise<void> {
  const { deps, run, record, signal } = context
  await run.step({ name: 'tombstone' }, async (log) =>
    log(`${record.branch}: ${record.tombstone?.reason ?? 'requested'}`),
  )
  const revision = await run.step({ name: 'deregister' }, () => deregister(context))
  await run.step({ name: 'drain' }, (log) => drain(deps, revision, { signal, log }))
  await run.step({ name: 'uninstall' }, () => uninstall(context))
  await run.step({ name: 'remove-routes' }, () => deps.routes.remove(record.name))
  await run.step({ name: 'remove-space' }, () => removeSpace(context))
  await run.step({ name: 'remove-secrets' }, async () => {
    await deleteSecrets(deps.store, record.name)
    await deleteImages(deps.store, record.name)
  })
  await run.step({ name: 'remove-tenant' }, () => removeTenant(context))
  const resources = await run.step({ name: 'verify' }, (log) => verifyAll(context, log))
  await run.step({ name: 'receipt' }, async (log) => log(`${resources.length} things verified gone`))
  await writeReceipt(context, resources)
}

/** Subscribers fall back to the base in one delta, before any process dies; what names and a mesh lead here is led to the base again too. */
async function deregister(context: RunContext): Promise<string | undefined> {
  const { deps, record, signal } = context
  const listed = await unlessNotFound(deps.configCenter.listEntries(record.name))
  const tenant = record.name
  const changes = (listed?.entries ?? []).map(({ service }): Change => ({ op: 'delete-entry', tenant, service }))
  const revision = await transactAll(context, changes)
  await removeMeshRoutes(deps, record.name, signal)
  await leadCallsOver(deps, record, platformContext(context, { name: 'deregister' }))
  return revision
}

async function uninstall(context: RunContext): Promise<void> {
  const { deps, record } = context
  const workloads = await deps.platform.listWorkloads(record.name)
  const services = new Set([...Object.keys(record.services), ...workloads.map((workload) => workload.service)])
  for (const service of services) {
    await deps.platform.retireWorkloads(
      { environment: record.name, service },
      platformContext(context, { name: 'uninstall' }),
    )
  }
}

/** The space as a whole, then what a crash may have left beside it. */
async function removeSpace(context: RunContext): Promise<void> {
  const { deps, record } = context
  const inStep = platformContext(context, { name: 'remove-space' })
  await deps.platform.removeSpace(record.name, inStep)
  for (const line of await listLedger(deps.store, record.name)) {
    if (!isPlatformLine(line)) continue
    const { environment, kind, id } = line
    const { gone } = await deps.platform.verifyGone({ environment, kind, id })
    if (!gone) await deps.platform.removeResource({ environment, kind, id }, inStep)
  }
}

/** Tenants that overlay this one get its base; their own reconcile tells their people. */
async function removeTenant({ deps, run, record, signal }: RunContext): Promise<void> {
  for (const { tokenId } of await listTenantTokens(deps, record.name)) {
    await unlessNotFound(deps.configCenter.revokeToken(tokenId))
  }
  const options = { dependents: 'reparent', runId: run.run.runId, reason: 'environment torn down', signal } as const
  await unlessNotFound(deps.configCenter.deleteTenant(record.name, options))
}

async function verifyAll({ deps, record }: RunContext, log: (text: string) => void): Promise<Receipt['resources']> {
  const resources: Receipt['resources'] = []
  const left: LedgerLine[] = []
  for (const line of await listLedger(deps.store, record.name)) {
    const { gone, evidence } = await verifyLedgerLine(deps, line)
    log(`${gone ? 'gone' : 'STILL THERE'} ${line.kind} ${line.id}: ${evidence}`)
    const goneAt = new Date(deps.clock.now()).toISOString()
    if (gone) resources.push({ kind: line.kind, id: line.id, goneAt, evidence })
    else left.push(line)
  }
  if (left.length === 0) return resources
  const list = left.map(({ kind, id }) => `${kind} ${id}`).join(', ')
  throw failure('TEARDOWN_INCOMPLETE', `Tearing down ${record.name}: still there are ${list}; it is tried again`)
}

/** The receipt, the empty ledger, the freed name and the end of the run: one transaction, so that all of it is true or none. */
async function writeReceipt({ deps, run, record }: RunContext, resources: Receipt['resources']): Promise<void> {
  const ended = await run.ended('succeeded', undefined)
  const receipt: Receipt = {
    environment: record.name,
    branch: record.branch,
    generation: record.generation,
    runId: ended.runId,
    reason: record.tombstone?.reason ?? 'requested',
    startedAt: new Date(record.tombstone?.at ?? Date.parse(ended.startedAt)).toISOString(),
    finishedAt: new Date(deps.clock.now()).toISOString(),
    resources,
  }
  await deps.store.transact({
    compares: [],
    mutations: [
      putJson(stateKeys.receipt(record.name, record.generation), receipt),
      { kind: 'delete', select: { prefix: stateKeys.ledgerOf(record.name) } },
      ...registryKeysOf(record).map((key) => ({ kind: 'delete' as const, select: { key } })),
      ...run.mutations(),
    ],
  })
}

async function abandon({ deps, run, record }: RunContext, error: unknown): Promise<void> {
  const ended = await run.ended(isAppError(error, 'MANAGER_STOPPING') ? 'interrupted' : 'failed', error)
  deps.log.warn({ environment: record.name, run: ended.runId, error: messageOf(error) }, 'teardown not complete yet')
  await updateEnvironment(deps.store, record.name, (current) => ({
    record: { ...current, currentRunId: null, lastRunId: ended.runId },
    alongside: { mutations: run.mutations() },
  }))
}
