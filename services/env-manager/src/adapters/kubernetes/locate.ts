import type { Endpoint } from '@tributary/contract'
import type { KubernetesParts } from './kubernetes-parts.js'
import { isReady } from './workloads/pod-reason.js'

/**
 * The endpoint with a ready pod's own address in place of the Service's: right at once after a switch, while name servers still answer what they were
 * told before and nodes do not know a new ClusterIP yet. An endpoint of anything else, or without a ready pod, stays as it is.
 */
export function locate(
  { book, config, spaces }: Pick<KubernetesParts, 'book' | 'config' | 'spaces'>,
  endpoint: Endpoint,
): Endpoint {
  const suffix = `.svc.${config.clusterDomain}`
  const [service, namespace, more] = endpoint.host.endsWith(suffix)
    ? endpoint.host.slice(0, -suffix.length).split('.')
    : []
  const environment = namespace === undefined ? undefined : spaces.environmentOf(namespace)
  if (service === undefined || environment === undefined || more !== undefined) return endpoint
  const host = book.podsOf(environment, service).findLast(isReady)?.status?.podIP
  return host === undefined ? endpoint : { ...endpoint, host }
}
