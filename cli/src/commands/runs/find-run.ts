import type { EnvManagerClient } from '@tributary/client'
import { isAppError } from '@tributary/kit'
import { cliError } from '../../errors.js'

/**
 * Id of the run that a person means: a run's own id, or the newest run of the environment of that name (also of one that is gone).
 * `CLI_NO_RUN` when there is neither.
 */
export async function findRunId(
  client: EnvManagerClient,
  runOrEnvironment: string,
  signal: AbortSignal,
): Promise<string> {
  try {
    return (await client.getRun(runOrEnvironment, { signal })).runId
  } catch (error) {
    if (!isAppError(error) || (error.kind !== 'not_found' && error.kind !== 'invalid_argument')) throw error
  }
  const { runs } = await client.listRuns({ environment: runOrEnvironment, limit: 1 }, { signal })
  const newest = runs[0]
  if (newest === undefined) {
    throw cliError(
      'CLI_NO_RUN',
      `${runOrEnvironment} is neither a run nor an environment that has had one; see \`tributary runs list\``,
    )
  }
  return newest.runId
}
