import type { EnvironmentDependencies } from './dependencies.js'
import { listEnvironments, updateEnvironment } from './state/environments.js'
import { interruptRuns } from './state/runs.js'

/**
 * After a stop or a crash: runs that were under way are interrupted, and preview URLs are served again; one that had not been made yet is left to the deploy that is done to its
 * end now, which records it first. Call once, before the loop.
 */
export async function recoverRecords({
  store,
  clock,
  routes,
}: Pick<EnvironmentDependencies, 'store' | 'clock' | 'routes'>): Promise<void> {
  await interruptRuns(store, new Date(clock.now()).toISOString())
  for (const record of await listEnvironments(store)) {
    if (record.established && record.url !== null && record.tombstone === null) await routes.apply(record.name)
    if (record.established && record.asleep) await routes.suspend?.(record.name)
    const deploying = Object.values(record.services).some((service) => service.deploying)
    if (record.currentRunId === null && !deploying) continue
    await updateEnvironment(store, record.name, (current) => ({
      ...current,
      currentRunId: null,
      lastRunId: current.currentRunId ?? current.lastRunId,
      services: Object.fromEntries(
        Object.entries(current.services).map(([name, service]) => [name, { ...service, deploying: false }]),
      ),
    }))
  }
}
