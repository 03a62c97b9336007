import type { EnvironmentRecord } from '../domain/environment-record.js'
import type { PlatformResource } from '../ports/platform.js'
import { messageOf, type EnvironmentDependencies } from './dependencies.js'
import { ENVIRONMENT_LABEL, INSTANCE_LABEL, listTenantTokens } from './deploy/register-tenant.js'
import { unlessNotFound } from './observe-environment.js'
import { listEnvironments } from './state/environments.js'

/** A thing that bears our label and belongs to no environment. */
export interface Orphan {
  readonly kind: string
  readonly id: string
  readonly environment: string | null
}

/**
 * Finds what bears the platform's label, and routes and tenants with ours, whose environment does not exist, and removes it. Resolves to what
 * could not be removed now. Reads the records after the resources: what is made in between has its record before it.
 */
export async function removeOrphans(deps: EnvironmentDependencies, signal: AbortSignal): Promise<readonly Orphan[]> {
  const resources = await deps.platform.listResources()
  const routed = await deps.routes.list()
  const meshed = (await deps.mesh?.routes.list()) ?? []
  const { tenants } = await deps.configCenter.listTenants()
  const known = new Set((await listEnvironments(deps.store)).map((record: EnvironmentRecord) => record.name))
  const left: Orphan[] = []
  for (const resource of resources.filter(({ environment }) => !known.has(environment))) {
    if (!(await removed(deps, () => removeResource(deps, resource, signal), orphanOf(resource))))
      left.push(orphanOf(resource))
  }
  for (const environment of routed.filter((name) => !known.has(name))) {
    const orphan: Orphan = { kind: 'route', id: environment, environment }
    if (!(await removed(deps, () => deps.routes.remove(environment), orphan))) left.push(orphan)
  }
  for (const resource of meshed.filter(({ environment }) => !known.has(environment))) {
    const remove = async (): Promise<void> => deps.mesh?.routes.remove(resource, signal)
    if (!(await removed(deps, remove, orphanOf(resource)))) left.push(orphanOf(resource))
  }
  for (const { name, labels } of tenants) {
    const environment = labels[ENVIRONMENT_LABEL]
    if (environment !== name || labels[INSTANCE_LABEL] !== deps.config.instance || known.has(name)) continue
    const orphan: Orphan = { kind: 'tenant', id: name, environment: name }
    if (!(await removed(deps, () => removeTenant(deps, name), orphan))) left.push(orphan)
  }
  return left
}

async function removeResource(
  deps: EnvironmentDependencies,
  resource: PlatformResource,
  signal: AbortSignal,
): Promise<void> {
  const log = (text: string): void => deps.log.info({ ...resource }, text)
  await deps.platform.removeResource(resource, { signal, log, record: async () => undefined })
}

async function removeTenant(deps: EnvironmentDependencies, name: string): Promise<void> {
  for (const { tokenId } of await listTenantTokens(deps, name))
    await unlessNotFound(deps.configCenter.revokeToken(tokenId))
  await unlessNotFound(
    deps.configCenter.deleteTenant(name, { dependents: 'reparent', reason: 'orphan of no environment' }),
  )
}

async function removed(deps: EnvironmentDependencies, work: () => Promise<void>, orphan: Orphan): Promise<boolean> {
  try {
    await work()
    deps.log.warn({ ...orphan }, 'removed an orphan: it bore our label and belonged to no environment')
    return true
  } catch (error) {
    deps.log.error({ ...orphan, error: messageOf(error) }, 'an orphan could not be removed; the next scan tries again')
    return false
  }
}

function orphanOf({ kind, id, environment }: PlatformResource): Orphan {
  return { kind, id, environment }
}
