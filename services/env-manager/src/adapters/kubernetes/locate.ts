import { isIP } from 'node:net'
import type { Endpoint } from '@tributary/contract'
import { RESOURCES, type KubeService } from './api/kube-objects.js'
import type { KubernetesParts } from './kubernetes-parts.js'

/**
 * The endpoint with the ClusterIP in place of its Service's name: right at once after a switch, while a name server may still answer what it was told
 * before. An endpoint of anything else, or of a Service without an address, stays as it is.
 */
export async function locate(
  { api, config }: Pick<KubernetesParts, 'api' | 'config'>,
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<Endpoint> {
  const suffix = `.svc.${config.clusterDomain}`
  const [name, namespace, more] = endpoint.host.endsWith(suffix)
    ? endpoint.host.slice(0, -suffix.length).split('.')
    : []
  if (name === undefined || namespace === undefined || more !== undefined) return endpoint
  const service = await api.find<KubeService>(RESOURCES.service, { namespace, name }, signal)
  const address = service?.spec?.clusterIP ?? ''
  return isIP(address) === 0 ? endpoint : { ...endpoint, host: address }
}
