import type { LedgerLine } from '@tributary/contract'
import PQueue from 'p-queue'
import { isMeshLine } from './apply-mesh-routes.js'
import type { EnvironmentDependencies } from './dependencies.js'
import { listTenantTokens } from './deploy/register-tenant.js'
import { unlessNotFound } from './observe-environment.js'
import { listLedger, strikeLedgerLine } from './state/ledger.js'
import { hasSecrets } from './state/secret-vault.js'

/** What was seen when a thing of the ledger was looked for. */
export interface Sighting {
  readonly gone: boolean
  readonly evidence: string
}

/** How many things are looked for at a time. */
const PARALLEL_LOOKS = 8

/** Kinds that the env-manager makes itself, besides those of a mesh; every other kind is the platform's. */
const OWN_KINDS = ['tenant', 'token', 'entry', 'secret', 'route'] as const

/** True for lines of things that the platform made. */
export function isPlatformLine(line: Pick<LedgerLine, 'kind'>): boolean {
  return !(OWN_KINDS as readonly string[]).includes(line.kind) && !isMeshLine(line)
}

/** Looks for a thing of the ledger where it would be, now. */
export async function verifyLedgerLine(deps: EnvironmentDependencies, line: LedgerLine): Promise<Sighting> {
  const { environment, kind, id } = line
  if (isMeshLine(line)) return verifyMeshLine(deps, line)
  switch (kind) {
    case 'tenant':
      return seen(
        (await unlessNotFound(deps.configCenter.getTenant(environment))) === undefined,
        `tenant ${environment}`,
      )
    case 'entry':
      return verifyEntry(deps, environment, id)
    case 'token': {
      const tokens = await listTenantTokens(deps, environment)
      return seen(!tokens.some(({ name }) => name === id), `token ${id}`, 'the config center')
    }
    case 'secret':
      return seen(
        !(await hasSecrets(deps.store, { environment, service: id })),
        `secrets of ${id}`,
        'the manager’s store',
      )
    case 'route':
      return deps.routes.verifyGone(environment)
    default:
      return deps.platform.verifyGone({ environment, kind, id })
  }
}

/** Strikes out the platform's lines whose thing is gone: old copies that a deploy has replaced. */
export async function pruneLedger(deps: EnvironmentDependencies, environment: string): Promise<void> {
  const lines = (await listLedger(deps.store, environment)).filter(isPlatformLine)
  const prune = async (line: LedgerLine): Promise<void> => {
    const { gone } = await deps.platform.verifyGone({ environment, kind: line.kind, id: line.id })
    if (gone) await strikeLedgerLine(deps.store, line)
  }
  const queue = new PQueue({ concurrency: PARALLEL_LOOKS })
  await queue.addAll(lines.map((line) => () => prune(line)))
}

/** Whoever took the mesh out of the configuration altogether runs on another platform by now, which cannot tell. */
async function verifyMeshLine(
  { mesh }: EnvironmentDependencies,
  { environment, kind, id }: LedgerLine,
): Promise<Sighting> {
  if (mesh === undefined) return { gone: false, evidence: `this platform cannot look for ${kind} ${id}` }
  return mesh.routes.verifyGone({ environment, kind, id })
}

async function verifyEntry(deps: EnvironmentDependencies, environment: string, service: string): Promise<Sighting> {
  const listed = await unlessNotFound(deps.configCenter.listEntries(environment))
  const found = listed?.entries.some((entry) => entry.service === service) ?? false
  return seen(!found, `entry ${environment}/${service}`, 'the config center')
}

function seen(gone: boolean, what: string, where = 'the config center'): Sighting {
  return { gone, evidence: gone ? `${where} has no ${what}` : `${where} still has ${what}` }
}
