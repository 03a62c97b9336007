import { failure } from '../errors.js'
import type { ReleasedObject } from '../ports/platform.js'
import type { EnvironmentDependencies } from './dependencies.js'
import { getEnvironment } from './state/environments.js'

/**
 * Takes finalizers off what holds the space of an environment that is being torn down; what they were to clean up elsewhere may stay behind. Only ever
 * because a person asks.
 * @throws AppError `ENVIRONMENT_NOT_FOUND`, `ENVIRONMENT_NOT_TERMINATING`, and as the platform
 */
export async function releaseFinalizers(
  { store, platform, log }: Pick<EnvironmentDependencies, 'store' | 'platform' | 'log'>,
  name: string,
  signal: AbortSignal,
): Promise<readonly ReleasedObject[]> {
  const { tombstone } = await getEnvironment(store, name)
  if (tombstone === null) {
    throw failure(
      'ENVIRONMENT_NOT_TERMINATING',
      `The environment ${name} is not being torn down, so nothing holds it; delete it first`,
    )
  }
  return platform.releaseFinalizers(name, {
    signal,
    record: async () => undefined,
    log: (text) => log.warn({ environment: name }, text),
  })
}
