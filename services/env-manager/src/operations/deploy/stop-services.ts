import type { Change } from '@tributary/contract'
import { drain } from '../drain.js'
import { leadCalls } from '../lead-calls.js'
import { isManaged, unlessNotFound } from '../observe-environment.js'
import { updateEnvironment } from '../state/environments.js'
import { platformContext, type RunContext } from './deploy-context.js'
import { mapServices } from './end-deploy.js'
import { transactAll } from './register-services.js'

/** The steps of {@link stopServices}, in order. */
export const STOP_STEPS = ['deregister', 'drain', 'stop'] as const

/**
 * Takes the entries of services out in one transaction, so that calls fall back; waits until subscribers have noticed; then stops their
 * copies. Entries that people registered themselves stay, and so do config, tenant and address.
 */
export async function stopServices(context: RunContext, services: readonly string[]): Promise<void> {
  const { deps, run, record, signal } = context
  const revision = await run.step({ name: 'deregister' }, () => deregister(context, services))
  await run.step({ name: 'drain' }, (log) => drain(deps, revision, { signal, log }))
  await run.step({ name: 'stop' }, async (log) => {
    for (const service of services) {
      await deps.platform.retireWorkloads(
        { environment: record.name, service },
        platformContext(context, { name: 'stop' }),
      )
      log(`${service} is stopped`)
    }
    // Whoever asked for a restart has got the first half of it; a copy that is gone is started again anyway.
    const stopped = new Set(services)
    await updateEnvironment(deps.store, record.name, (current) =>
      mapServices(current, (service) =>
        stopped.has(service.name) ? { ...service, restartRequested: false } : service,
      ),
    )
  })
}

async function deregister(context: RunContext, services: readonly string[]): Promise<string | undefined> {
  const tenant = context.record.name
  const listed = await unlessNotFound(context.deps.configCenter.listEntries(tenant))
  const ours = (listed?.entries ?? []).filter((entry) => services.includes(entry.service) && isManaged(entry))
  const changes = ours.map(({ service }): Change => ({ op: 'delete-entry', tenant, service }))
  const revision = await transactAll(context, changes)
  await leadCalls(context.deps, context.record, platformContext(context, { name: 'deregister' }))
  return revision
}
