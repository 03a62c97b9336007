import type { RevisionedStore } from '@tributary/store'
import { failure } from '../errors.js'
import { requestRetry } from './change-environment.js'
import { getEnvironment } from './state/environments.js'
import { getRun } from './state/runs.js'

/**
 * Wants what a run did not bring about tried again. The environment is brought to what it should be now, which may be more than the run wanted.
 * @throws AppError `RUN_NOT_FOUND`, `RUN_NOT_FAILED`, `ENVIRONMENT_NOT_FOUND` (it is gone)
 */
export async function requestRerun(store: RevisionedStore, runId: string): Promise<void> {
  const run = await getRun(store, runId)
  if (run.state === 'running' || run.state === 'succeeded') {
    const what = run.state === 'running' ? 'is under way' : 'succeeded'
    throw failure(
      'RUN_NOT_FAILED',
      `Trying run ${runId} again: it ${what}; to start the services anew, redeploy ${run.environment}`,
    )
  }
  const record = await getEnvironment(store, run.environment)
  // A teardown is tried again by looking; there is nothing that was given up on.
  if (record.tombstone === null) await requestRetry(store, run.environment)
}
