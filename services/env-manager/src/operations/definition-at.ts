import type { DesiredService } from '../domain/desired-services.js'
import type { ServiceRecord } from '../domain/environment-record.js'
import { failure } from '../errors.js'
import { withBuiltImage } from './built-images.js'
import type { EnvironmentDependencies } from './dependencies.js'

/** The copy of a service that is meant. */
export interface DefinitionTarget {
  readonly environment: string
  readonly service: ServiceRecord
  readonly commitSha: string
}

/**
 * A service as it was defined at a commit: to restart a copy whose commit is not the wanted one.
 * @throws AppError `DEFINITION_INVALID` when that commit does not define it; `IMAGE_UNKNOWN`
 */
export async function definitionAt(
  deps: Pick<EnvironmentDependencies, 'content' | 'config' | 'store'>,
  { environment, service, commitSha }: DefinitionTarget,
  signal: AbortSignal,
): Promise<DesiredService> {
  const repository = deps.config.repositories.find((one) => one.name === service.repository)
  const content = repository === undefined ? undefined : await deps.content.load(repository, commitSha, signal)
  const defined = content?.catalog.services.find((one) => one.definition.name === service.name)
  if (defined !== undefined) {
    const found = { service: service.name, repository: service.repository, commitSha, defined }
    const startable = await withBuiltImage(deps.store, environment, found)
    if (startable !== undefined) return startable
    const advice = `\`tributary deploy ${environment} ${service.name}\` names it`
    throw failure(
      'IMAGE_UNKNOWN',
      `Starting ${service.name} at ${commitSha.slice(0, 7)}: its image is not known; ${advice}`,
    )
  }
  throw failure(
    'DEFINITION_INVALID',
    `Starting ${service.name} at ${commitSha.slice(0, 7)}: repository ${service.repository} does not define it there; push a commit that does`,
  )
}
