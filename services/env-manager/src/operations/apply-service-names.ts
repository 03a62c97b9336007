import type { PlatformContext, ServiceName } from '../ports/platform.js'
import type { EnvironmentDependencies } from './dependencies.js'
import { unlessNotFound } from './observe-environment.js'

/**
 * Lets `http://<service>` in the environment's space lead to whoever answers there now, as the config center resolves it. Does nothing on a platform
 * without names, or when there is no tenant.
 */
export async function applyServiceNames(
  { platform, configCenter }: Pick<EnvironmentDependencies, 'platform' | 'configCenter'>,
  environment: string,
  context: PlatformContext,
): Promise<void> {
  if (!platform.capabilities.has('service-names')) return
  const readNames = async (): Promise<readonly ServiceName[]> => {
    const view = await unlessNotFound(configCenter.getView(environment))
    return Object.entries(view?.services ?? {}).flatMap(([service, { state, endpoints }]) =>
      state === 'masked' ? [] : [{ service, state, endpoints }],
    )
  }
  await platform.applyServiceNames(environment, readNames, context)
}
