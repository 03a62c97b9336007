import type { RevisionedStore } from '@tributary/store'
import type { EnvironmentRecord, PastDeploy } from '../domain/environment-record.js'
import { ownMember } from '../domain/own-member.js'
import { failure } from '../errors.js'
import { changeable } from './change-environment.js'
import { getEnvironment, updateEnvironment } from './state/environments.js'

/** Which deploy a service goes back to; without a run the newest one of another commit than the present. */
export interface RollbackTarget {
  readonly environment: string
  readonly service: string
  readonly runId?: string
}

/**
 * Pins a service to the commit of an earlier successful run, until the branch moves. The next reconcile deploys it: workload,
 * entry and config defaults together.
 * @throws AppError `ENVIRONMENT_NOT_FOUND`, `ENVIRONMENT_TERMINATING`, `SERVICE_NOT_FOUND`, `ROLLBACK_TARGET_MISSING`
 */
export async function rollBackService(store: RevisionedStore, target: RollbackTarget): Promise<EnvironmentRecord> {
  const { environment, service } = target
  const record = await changeable(store, environment)
  const past = pastDeployOf(record, target)
  const updated = await updateEnvironment(store, environment, (current) => {
    const now = ownMember(current.services, service)
    const head = now === undefined ? undefined : current.heads[now.repository]
    if (now === undefined || head === undefined) return current
    const rolledBack = past.commitSha === head ? null : { commitSha: past.commitSha, head }
    return { ...current, services: { ...current.services, [service]: { ...now, rolledBack, failure: null } } }
  })
  return updated ?? getEnvironment(store, environment)
}

function pastDeployOf(record: EnvironmentRecord, { environment, service, runId }: RollbackTarget): PastDeploy {
  const known = ownMember(record.services, service)
  if (known === undefined) {
    const own = Object.keys(record.services).join(', ') || 'none'
    throw failure(
      'SERVICE_NOT_FOUND',
      `Rolling back ${service} of ${environment}: it deploys no such service (own: ${own})`,
    )
  }
  const past = known.history.find((one) =>
    runId === undefined ? one.commitSha !== known.deployed?.commitSha : one.runId === runId,
  )
  if (past !== undefined) return past
  const which =
    runId === undefined ? 'no earlier commit of it has been deployed here' : `run ${runId} did not deploy it`
  throw failure(
    'ROLLBACK_TARGET_MISSING',
    `Rolling back ${service} of ${environment}: ${which}; \`tributary runs\` shows the runs`,
  )
}
