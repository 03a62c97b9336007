import type { LedgerLine } from '@tributary/contract'
import { isAppError } from '@tributary/kit'
import { setCondition, type ConditionFinding } from '../domain/conditions.js'
import type { EnvironmentRecord } from '../domain/environment-record.js'
import { planHeaderRoutes, type ChainLink, type HeaderPlan } from '../domain/header-routes.js'
import { MESH_ROUTED, meshFinding } from '../domain/mesh-condition.js'
import type { EnvManagerErrorCode } from '../errors.js'
import { MESH_KINDS, type MeshRoutes } from '../ports/mesh-routes.js'
import type { PlatformContext, PlatformResource } from '../ports/platform.js'
import { messageOf, type EnvironmentDependencies } from './dependencies.js'
import { unlessNotFound } from './observe-environment.js'
import { updateEnvironment } from './state/environments.js'
import { listLedger, strikeLedgerLine } from './state/ledger.js'

/** `refused`: the cluster does not take them as things are; the condition says why, and another look later may do better. */
export type MeshOutcome = 'made' | 'refused'

type MeshDependencies = Pick<EnvironmentDependencies, 'mesh' | 'configCenter' | 'store' | 'clock'>

/** An environment is whole without its header routes: these do not fail its runs. */
const REFUSALS: readonly EnvManagerErrorCode[] = [
  'ROUTES_NOT_POSSIBLE',
  'ROUTE_NAME_TAKEN',
  'KUBERNETES_FORBIDDEN',
  'KUBERNETES_REJECTED',
]

/**
 * Lets a mesh lead the environment's requests to where the config center resolves them now, and nowhere else: routes that are no longer wanted go, out of
 * the ledger too. Level-based; of an environment one call at a time reads and applies. Keeps the condition `MeshRouted`. Does nothing without a mesh.
 */
export async function applyMeshRoutes(
  deps: MeshDependencies,
  record: Pick<EnvironmentRecord, 'name' | 'generation'>,
  context: PlatformContext,
): Promise<MeshOutcome> {
  const { mesh } = deps
  if (mesh === undefined) return 'made'
  return mesh.lock.run(record.name, async () => {
    const chain = mesh.routes.kind === 'none' ? [] : await readChain(deps, record.name)
    const plan = planHeaderRoutes(chain, (environment, service) => mesh.routes.hostOf(environment, service))
    const problem = await problemOf(() => makeExactly(deps, { routes: mesh.routes, name: record.name, plan }, context))
    if (problem !== undefined) context.log(`header routes: ${problem}`)
    const says = chain.length > 1 || problem !== undefined
    await noteCondition(deps, record, says ? meshFinding(plan, problem) : undefined)
    return problem === undefined ? 'made' : 'refused'
  })
}

/** Removes every header route of an environment; its lines stay in the ledger, for the receipt. */
export async function removeMeshRoutes(
  { mesh, store }: Pick<EnvironmentDependencies, 'mesh' | 'store'>,
  environment: string,
  signal: AbortSignal,
): Promise<void> {
  await mesh?.lock.run(environment, async () => {
    for (const line of await meshLines(store, environment)) await mesh.routes.remove(line, signal)
  })
}

/** True for lines of what header routes are made of. */
export function isMeshLine({ kind }: Pick<LedgerLine, 'kind'>): boolean {
  return MESH_KINDS.includes(kind)
}

async function makeExactly(
  { store }: MeshDependencies,
  given: { readonly routes: MeshRoutes; readonly name: string; readonly plan: HeaderPlan },
  context: PlatformContext,
): Promise<void> {
  const { routes, name, plan } = given
  const standing = new Set((await routes.apply(name, plan.routes, context)).map(keyOf))
  for (const line of await meshLines(store, name)) {
    if (standing.has(keyOf(line))) continue
    await routes.remove(line, context.signal)
    // What takes its time to go is struck out by a later look.
    if ((await routes.verifyGone(line)).gone) await strikeLedgerLine(store, line)
  }
}

/** Nearest first; a tenant that went in between has nothing. */
async function readChain(
  { configCenter }: Pick<EnvironmentDependencies, 'configCenter'>,
  name: string,
): Promise<readonly ChainLink[]> {
  const tenant = await unlessNotFound(configCenter.getTenant(name))
  return Promise.all(
    (tenant?.chain ?? []).map(async (member) => {
      const listed = await unlessNotFound(configCenter.listEntries(member))
      return { tenant: member, entries: listed?.entries ?? [] }
    }),
  )
}

async function problemOf(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (REFUSALS.some((code) => isAppError(error, code))) return messageOf(error)
    throw error
  }
}

async function noteCondition(
  { store, clock }: MeshDependencies,
  { name, generation }: Pick<EnvironmentRecord, 'name' | 'generation'>,
  finding: ConditionFinding | undefined,
): Promise<void> {
  await updateEnvironment(store, name, (record) => {
    const before = record.conditions.find(({ type }) => type === MESH_ROUTED)
    if (finding === undefined) {
      if (before === undefined) return record
      return { ...record, conditions: record.conditions.filter((one) => one !== before) }
    }
    if (before?.status === finding.status && before.message === finding.message) return record
    const context = { now: clock.now(), generation }
    return { ...record, conditions: [...setCondition(record.conditions, finding, context)] }
  })
}

async function meshLines(store: EnvironmentDependencies['store'], name: string): Promise<readonly LedgerLine[]> {
  return (await listLedger(store, name)).filter(isMeshLine)
}

function keyOf({ kind, id }: PlatformResource): string {
  return `${kind} ${id}`
}
