import { messageOf } from '../dependencies.js'
import { getEnvironment } from '../state/environments.js'
import type { RunContext } from './deploy-context.js'
import type { ServiceFailure } from './end-deploy.js'

/** Writes the outcome with its URL into the run's log and tells the reporter. A reporter that fails does not fail the run. */
export async function reportRun(
  { deps, run, record }: RunContext,
  { log, failures }: { readonly log: (text: string) => void; readonly failures: readonly ServiceFailure[] },
): Promise<void> {
  const current = await getEnvironment(deps.store, record.name)
  const failed = new Map(failures.map(({ service, error }) => [service.service, messageOf(error)]))
  const services = Object.values(current.services).map(({ name, deployed }) => ({
    service: name,
    state: failed.has(name)
      ? 'failed'
      : deployed === null
        ? 'pending'
        : `${deployed.version} (${deployed.commitSha.slice(0, 7)})`,
    url: deployed === null ? null : deps.routes.urlOf(record.name, name),
  }))
  const url = deps.routes.urlOf(record.name)
  log(`${record.branch} -> ${url}`)
  for (const { service, state, url: serviceUrl } of services)
    log(`  ${service}: ${state}${serviceUrl === null ? '' : ` ${serviceUrl}`}`)
  if (services.length === 0) log('  the branch changes no service; every call is answered by its base')
  try {
    await deps.reporter.report({ run: run.run, environment: record.name, branch: record.branch, url, services })
  } catch (error) {
    log(`the report could not be delivered: ${messageOf(error)}`)
  }
}
