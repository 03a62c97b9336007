import type { Change } from '@tributary/contract'
import { servedBefore, type DeployedCopy } from '../../domain/environment-record.js'
import { MANAGED_BY } from '../observe-environment.js'
import { updateEnvironment } from '../state/environments.js'
import type { FreshCopy, RunContext } from './deploy-context.js'
import { transactAll } from './register-services.js'

/**
 * Takes copies that failed their verification out again, in one transaction: the entry goes back to the copy that served
 * before, which still runs; a service that had none falls back to its base. Old copies are retired only after this.
 */
export async function revertCopies(context: RunContext, copies: readonly FreshCopy[]): Promise<void> {
  const { deps, record } = context
  const ref = { name: 'revert' }
  await context.run.step(ref, async (log) => {
    const before = (name: string): DeployedCopy | null => servedBefore(record, name)
    await transactAll(
      context,
      copies.map(({ service }) => revertChange(record.name, service.service, before(service.service))),
    )
    await updateEnvironment(deps.store, record.name, (current) => {
      const services = { ...current.services }
      for (const { service } of copies) {
        const now = services[service.service]
        const runId = context.run.run.runId
        if (now === undefined) continue
        const history = now.history.filter((past) => past.runId !== runId)
        services[service.service] = { ...now, deployed: before(service.service), history }
      }
      return { ...current, services }
    })
    for (const { service } of copies) log(`${service.service}: ${describe(before(service.service))}`)
  })
}

function revertChange(tenant: string, service: string, before: DeployedCopy | null): Change {
  if (before === null) return { op: 'delete-entry', tenant, service }
  const { endpoints, version, commitSha } = before
  const metadata = { [MANAGED_BY.key]: MANAGED_BY.value }
  return { op: 'apply-entry', tenant, service, spec: { endpoints: [...endpoints], version, commitSha, metadata } }
}

function describe(before: DeployedCopy | null): string {
  return before === null
    ? 'its entry is taken out; calls fall back to the base'
    : `its entry leads to commit ${before.commitSha.slice(0, 7)} again`
}
