import type { EnvironmentDependencies } from './dependencies.js'
import { messageOf } from './dependencies.js'

/**
 * Waits until the live subscribers of the affected views have applied a store revision, so that nobody calls a copy that is
 * about to stop; at most `drainSeconds`. A config center that does not answer, and laggards, are told in the log, not waited for longer.
 */
export async function drain(
  { configCenter, config }: Pick<EnvironmentDependencies, 'configCenter' | 'config'>,
  revision: string | undefined,
  { signal, log }: { readonly signal: AbortSignal; readonly log: (text: string) => void },
): Promise<void> {
  if (revision === undefined) return log('no entry moved')
  const timeoutMs = Math.round(config.drainSeconds * 1000)
  try {
    const { converged, affected, laggards } = await configCenter.convergence({ revision, timeoutMs }, { signal })
    if (converged) return log(`all ${affected} affected subscribers have revision ${revision}`)
    log(
      `after ${timeoutMs} ms these have not applied revision ${revision}: ${laggards.map(({ instance }) => instance).join(', ')}`,
    )
  } catch (error) {
    if (signal.aborted) throw error
    log(`could not ask who has applied revision ${revision}: ${messageOf(error)}`)
  }
}
